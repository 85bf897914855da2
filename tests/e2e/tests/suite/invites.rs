//! Links that are texted to shoppers: who may have one, where it leads, whose it becomes.

mod asking;
mod claiming;
mod following;
mod scene;

pub use asking::{
    a_link_is_texted_with_consent, a_number_that_said_stop_is_told_to_those_it_concerns_only,
    a_repetition_is_one_text, a_thousand_links_in_a_minute_are_stopped,
    a_till_texts_links_to_orders_of_its_store, addresses_that_are_not_texted_are_refused,
    limits_hold_for_networks_and_brands, limits_hold_for_numbers_and_callers,
    links_are_listed_and_revoked, the_wrong_people_have_no_links,
};
pub use scene::{code_of as link_code, order as new_order};

pub use claiming::{
    a_cart_moves_to_the_phone_and_into_the_account, a_cart_on_the_phone_comes_along_to_the_sign_in,
    a_link_becomes_one_accounts_own, a_link_gives_no_account_more_addresses_than_it_may_have,
    a_page_asks_before_it_claims, a_phone_is_linked_to_its_account,
};
pub use following::{
    addresses_are_forgotten_after_a_while, an_app_opens_the_links_of_its_brand,
    guessing_is_limited, previewers_and_scanners_use_nothing_up, what_is_over_says_so,
};
