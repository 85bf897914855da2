//! What the pages say, in each language. A sentence has places such as `{store}` to be
//! filled in; it is text, never markup.

mod de;
mod en;
mod es;

use aisle_words::Locale;

/// The words of a language. All languages have all of them.
pub struct Text {
    pub your_order: &'static str,
    pub your_orders: &'static str,
    pub order_number: &'static str,
    pub skip: &'static str,
    // Where the order is.
    pub head_cancelled: &'static str,
    pub head_collected: &'static str,
    pub head_ready: &'static str,
    pub head_awaiting: &'static str,
    pub head_preparing: &'static str,
    pub head_confirmed: &'static str,
    pub head_layaway: &'static str,
    pub ready_from: &'static str,
    pub earlier: &'static str,
    pub later: &'static str,
    pub was_promised: &'static str,
    pub kept_until: &'static str,
    pub sent_to: &'static str,
    pub cancelled_refund: &'static str,
    pub steps: &'static str,
    pub step_ordered: &'static str,
    pub step_travelling: &'static str,
    pub step_preparing: &'static str,
    pub step_ready: &'static str,
    pub step_collected: &'static str,
    pub step_done: &'static str,
    pub step_now: &'static str,
    // What could not be told.
    pub undelivered: &'static str,
    pub by_sms: &'static str,
    pub by_email: &'static str,
    // The pass.
    pub pass: &'static str,
    pub pass_hint: &'static str,
    pub pass_show: &'static str,
    pub pass_refresh: &'static str,
    pub pass_large: &'static str,
    pub pass_small: &'static str,
    pub pass_code: &'static str,
    pub pass_until: &'static str,
    pub pass_alt: &'static str,
    pub pass_none: &'static str,
    // Coming to the store.
    pub coming: &'static str,
    pub coming_hint: &'static str,
    pub coming_consent: &'static str,
    pub on_my_way: &'static str,
    pub i_am_here: &'static str,
    pub store_knows_way: &'static str,
    pub store_knows_here: &'static str,
    pub not_coming: &'static str,
    // The store.
    pub store: &'static str,
    pub hours: &'static str,
    pub closed: &'static str,
    pub open_now: &'static str,
    pub closed_now: &'static str,
    pub all_day: &'static str,
    pub today: &'static str,
    pub special_hours: &'static str,
    pub directions: &'static str,
    pub call_store: &'static str,
    // What was bought.
    pub items: &'static str,
    pub quantity: &'static str,
    pub total: &'static str,
    pub handed_over_of: &'static str,
    // What happened.
    pub timeline: &'static str,
    pub placed: &'static str,
    pub ev_transfer_requested: &'static str,
    pub ev_transfer_approved: &'static str,
    pub ev_transfer_failed: &'static str,
    pub ev_in_transit: &'static str,
    pub ev_transfer_received: &'static str,
    pub ev_moved_earlier: &'static str,
    pub ev_moved_later: &'static str,
    pub ev_preparing: &'static str,
    pub ev_ready: &'static str,
    pub ev_picked_up: &'static str,
    pub ev_partially_picked_up: &'static str,
    pub ev_on_my_way: &'static str,
    pub ev_arrived: &'static str,
    pub ev_instalment_paid: &'static str,
    pub ev_instalment_reminder: &'static str,
    pub ev_cancelled: &'static str,
    pub ev_person: &'static str,
    pub ev_return: &'static str,
    // Who collects.
    pub person: &'static str,
    pub person_none: &'static str,
    pub person_is: &'static str,
    pub person_name: &'static str,
    pub person_hint: &'static str,
    pub save: &'static str,
    // News.
    pub news: &'static str,
    pub news_hint: &'static str,
    pub news_sms: &'static str,
    pub news_email: &'static str,
    pub news_on: &'static str,
    pub news_off: &'static str,
    pub news_stopped: &'static str,
    pub new_phone: &'static str,
    pub new_email: &'static str,
    pub news_consent: &'static str,
    // Returns.
    pub give_back: &'static str,
    pub return_until: &'static str,
    pub return_which: &'static str,
    pub return_pieces: &'static str,
    pub return_why: &'static str,
    pub return_send: &'static str,
    pub return_proof: &'static str,
    pub return_defect: &'static str,
    pub return_started: &'static str,
    pub why_changed_mind: &'static str,
    pub why_does_not_fit: &'static str,
    pub why_not_as_described: &'static str,
    pub why_wrong_item: &'static str,
    pub why_damaged: &'static str,
    pub why_defective: &'static str,
    // Cancelling.
    pub cancel: &'static str,
    pub cancel_hint: &'static str,
    pub cancel_sure: &'static str,
    // What became of a form.
    pub done_presence: &'static str,
    pub done_withdrawn: &'static str,
    pub done_pass: &'static str,
    pub done_cancelled: &'static str,
    pub done_person: &'static str,
    pub done_return: &'static str,
    pub done_news: &'static str,
    pub failed_consent: &'static str,
    pub failed_not_ready: &'static str,
    pub failed_too_late: &'static str,
    pub failed_often: &'static str,
    pub failed_address: &'static str,
    pub failed_name: &'static str,
    pub failed_return: &'static str,
    pub failed_opted_out: &'static str,
    pub failed_other: &'static str,
    // Around it.
    pub sign_in: &'static str,
    pub sign_out: &'static str,
    pub sign_in_why: &'static str,
    pub sign_in_address: &'static str,
    pub sign_in_send: &'static str,
    pub sign_in_code: &'static str,
    pub sign_in_code_sent: &'static str,
    pub sign_in_again: &'static str,
    pub sign_in_wrong: &'static str,
    pub sign_in_failed: &'static str,
    pub no_orders: &'static str,
    pub placed_on: &'static str,
    pub more_orders: &'static str,
    pub your_cart: &'static str,
    pub cart_empty: &'static str,
    pub cart_hint: &'static str,
    pub estimated_total: &'static str,
    pub missing: &'static str,
    pub missing_hint: &'static str,
    pub trouble: &'static str,
    pub trouble_hint: &'static str,
    pub privacy: &'static str,
    pub terms: &'static str,
}

pub fn of(locale: Locale) -> &'static Text {
    match locale {
        Locale::En => &en::TEXT,
        Locale::Es => &es::TEXT,
        Locale::De => &de::TEXT,
    }
}

/// Fills in the places of a sentence.
pub fn fill(sentence: &str, places: &[(&str, &str)]) -> String {
    places
        .iter()
        .fold(sentence.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
}
