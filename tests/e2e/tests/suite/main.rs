//! The end-to-end suite: every scenario on both pairs of stores.

mod harness;

mod accounts;
mod administration;
mod bad_input;
mod brands;
mod browser;
mod caching;
mod carts;
mod catalog;
mod checkout_transfer;
mod clock;
mod counts;
mod deadlines;
mod deliveries;
mod devices_story;
mod discovery;
mod growth;
mod health;
mod holds;
mod housekeeping;
mod idempotency;
mod imports;
mod interleavings;
mod invites;
mod judges;
mod lanes;
mod layaway;
mod locator;
mod many_edges;
mod messages;
mod migrations;
mod order_page;
mod origins;
mod pass;
mod places;
mod pos_collection;
mod pos_customer;
mod pos_offline;
mod pos_people;
mod pos_sales;
mod presence;
mod pressure;
mod pull_list;
mod race;
mod read_model;
mod refunds;
mod regions;
mod search;
mod sourcing;
mod stores_story;
mod story;
mod strangers;
mod streams;
mod sync;
mod transfers;
mod typed;

harness::suite! {
    accounts: [
        a_code_signs_up_and_in,
        devices_are_listed_and_signed_out_one_by_one,
        a_refresh_token_works_once,
        a_session_slides_to_its_end,
        an_order_becomes_the_accounts,
        a_till_code_is_short_lived_and_the_only_one,
        requests_that_make_no_sense_change_nothing,
        an_account_is_exported_and_erased_from_every_table,
        an_erasure_needs_to_be_sure,
        an_erasure_that_was_cut_short_goes_on,
        personal_data_is_kept_as_long_as_the_policy_says,
        a_browser_signs_in_without_a_script,
        over_tls_cookies_are_the_hosts_own,
        another_site_cannot_use_a_cookie,
        the_sign_in_page_says_what_is_wrong,
        nobody_learns_who_is_known,
        guesses_are_counted_however_they_come,
        a_code_is_for_its_address_its_brand_and_once,
        codes_are_limited,
        who_guesses_at_many_codes_is_stopped,
        what_belongs_to_somebody_else_stays_theirs,
        what_a_guest_left_is_shown_and_erased_with_the_account,
        what_is_not_paid_is_erased_too,
        a_link_does_not_hide_who_is_signed_in,
        an_address_is_given_up,
        an_address_is_given_up_by_its_person_only,
        one_address_stays,
    ],
    regions: [
        a_region_costs_the_same_by_every_name_or_is_asked_for,
        two_taxes_on_one_line_are_two_entries,
        a_stores_own_address_is_understood_or_refused,
    ],
    administration: [
        a_location_is_created_and_changed,
        a_location_that_makes_no_sense_is_refused,
        a_key_reaches_what_it_is_for,
    ],
    bad_input: [
        malformed_json_is_refused,
        wrong_types_are_refused,
        unknown_ids_are_refused,
        unknown_currencies_are_refused,
        impossible_quantities_are_refused,
        too_much_is_refused,
        bad_cursors_and_places_are_refused,
        unknown_ucp_versions_are_refused,
        wrong_check_digits_are_refused,
        admin_routes_want_an_admin_key,
        unknown_routes_and_methods_are_refused,
    ],
    brands: [
        another_brand_does_not_know_my_cart_checkout_order_or_product,
        an_unknown_host_gets_the_default_brand,
        a_claimed_host_changes_nothing,
        only_a_brands_own_hosts_are_told,
        a_public_brand_is_told_by_its_public_host,
    ],
    browser: [
        the_texted_link_opens_the_order_with_and_without_script,
        the_page_follows_a_promise_that_moves,
        every_state_is_fit_for_everybody,
        what_a_link_says_is_fit_for_everybody,
        what_an_account_has_is_fit_for_everybody,
    ],
    caching: [
        stock_can_be_cached_and_revalidated,
        stock_is_found_by_gtin,
        what_belongs_to_a_shopper_is_not_cached,
    ],
    carts: [
        two_devices_change_one_cart,
        what_a_device_knows_must_be_known,
        five_devices_race_and_see_the_same_cart,
        a_cart_is_brought_along,
        nobody_brings_what_is_not_theirs,
        the_till_sells_the_accounts_cart,
        what_another_device_does_comes_into_the_order,
        an_emptied_cart_is_not_bought,
        a_given_up_cart_is_not_bought,
        lines_of_cart_and_checkout_stay_apart,
        a_cart_stands_still_while_it_is_bought,
        a_change_and_a_purchase_at_one_moment,
    ],
    sync: [
        a_device_catches_up_in_one_call,
        a_device_that_was_away_for_a_month_catches_up,
        an_expired_cart_is_gone_by_itself,
        a_cursor_is_for_its_account,
        a_change_reaches_streams_of_every_process,
        a_stream_of_news_ends_with_its_time_and_with_its_session,
        open_streams_of_devices_hold_no_connection,
    ],
    catalog: [
        a_title_ranks_before_a_body,
        any_text_can_be_searched_for,
        pages_lead_through_everything_once,
        filters_hold_for_every_product_found,
        a_batch_takes_every_kind_of_identifier,
        options_are_selected_one_by_one,
        a_store_in_mind_shows_what_it_has,
    ],
    search: [
        words_are_found_however_they_are_spelled,
        filters_narrow_a_search_exactly,
        pages_of_a_search_have_no_gaps_and_no_doubles,
        a_total_says_how_far_it_was_counted,
        a_product_is_found_as_it_is_now,
        what_is_not_yet_indexed_is_indexed,
        categories_are_listed_with_their_numbers,
    ],
    checkout_transfer: [
        what_the_store_lacks_is_brought_there,
        several_stores_bring_what_one_has_not,
        a_declined_payment_frees_what_was_to_be_brought,
        a_promise_that_became_later_is_shown_before_money_moves,
        sixteen_buyers_of_the_last_units_elsewhere,
        the_brand_decides_about_transfers,
        a_brand_may_keep_transfers_to_itself,
        the_shoppers_own_transfer_is_taken_over,
        what_was_set_aside_and_is_not_bought_is_given_back,
        a_buyer_has_only_so_many_payments_under_way,
        a_cart_is_cancelled_under_its_order,
        a_cart_is_sold_at_a_till_under_its_order,
    ],
    clock: [an_expired_checkout_or_cart_is_gone],
    deadlines: [
        a_statement_has_a_deadline_of_its_database,
        a_statement_ends_with_its_client,
    ],
    pressure: [
        buyers_do_not_wait_behind_heavy_work,
    ],
    discovery: [
        the_profile_names_the_brands_own_endpoint,
        the_openapi_document_is_the_api,
    ],
    growth: [no_operation_reads_in_proportion_to_what_there_is],
    health: [
        all_is_well,
        without_the_key_value_store_everything_answers,
        without_the_database_the_read_model_goes_on,
    ],
    idempotency: [
        the_same_key_twice_is_one_order_and_one_answer,
        the_same_key_at_the_same_moment_is_one_order,
        the_same_key_with_another_body_is_refused,
        a_key_belongs_to_its_brand_and_its_session,
    ],
    imports: [
        the_same_file_twice_changes_nothing,
        the_demo_retailer_is_complete,
        bad_rows_are_reported_and_the_rest_goes_in,
        shopify_exports_go_in_as_they_are,
        a_changed_file_updates_what_changed,
        all_that_has_a_price_can_be_bought,
        files_of_other_systems_go_in,
        only_the_columns_that_are_there_change,
        a_dry_run_tells_and_changes_nothing,
        memory_does_not_grow_with_the_file,
    ],
    interleavings: [nothing_is_lost_whoever_does_what_when],
    devices_story: [
        sign_up_text_open_arrives_early_here_i_am,
    ],
    invites: [
        a_link_is_texted_with_consent,
        addresses_that_are_not_texted_are_refused,
        a_repetition_is_one_text,
        a_thousand_links_in_a_minute_are_stopped,
        limits_hold_for_numbers_and_callers,
        limits_hold_for_networks_and_brands,
        a_number_that_said_stop_is_told_to_those_it_concerns_only,
        a_till_texts_links_to_orders_of_its_store,
        the_wrong_people_have_no_links,
        links_are_listed_and_revoked,
        previewers_and_scanners_use_nothing_up,
        what_is_over_says_so,
        guessing_is_limited,
        an_app_opens_the_links_of_its_brand,
        addresses_are_forgotten_after_a_while,
        a_link_becomes_one_accounts_own,
        a_page_asks_before_it_claims,
        a_phone_is_linked_to_its_account,
        a_link_gives_no_account_more_addresses_than_it_may_have,
        a_cart_moves_to_the_phone_and_into_the_account,
        a_cart_on_the_phone_comes_along_to_the_sign_in,
    ],
    judges: [
        the_ucp_runner_finds_no_deviation,
        schemathesis_finds_every_answer_described,
    ],
    lanes: [
        bad_lanes_are_reported_and_the_rest_goes_in,
        a_holiday_moves_the_promise,
        a_short_day_moves_the_departure,
    ],
    locator: [
        a_distance_is_a_hard_limit,
        hours_are_the_stores_own,
        amenities_must_all_be_there,
        stores_are_looked_up_by_id_and_code,
        a_place_is_found_however_it_is_spelled,
    ],
    messages: [
        a_code_is_texted_once_and_forgotten,
        twilio_is_given_what_its_documentation_asks_for,
        what_twilio_refuses_is_tried_again_or_not,
        an_unknown_outcome_is_never_a_second_text,
        callbacks_that_are_not_twilios_are_refused,
        stop_help_and_start_are_obeyed_at_once,
        a_text_that_fails_is_mailed_once,
        a_number_that_is_not_reached_proves_nothing,
        nothing_is_mailed_instead_to_whoever_wants_no_mails,
        what_does_not_wait_is_told_after_what_was_before_it,
        news_wait_for_those_before_them,
        the_page_says_that_nothing_arrived_as_long_as_that_is_so,
        nobody_else_texts_start_for_a_number,
        stop_is_obeyed_in_any_reasonable_wording,
        stop_holds_for_the_brand_that_was_texted,
        stop_takes_back_what_waits,
        words_that_twilio_knows_are_obeyed_in_silence,
        a_text_that_twilio_has_not_sent_yet_is_found,
        what_twilio_surely_has_not_is_texted_again,
        a_wrong_token_texts_nothing_and_is_not_tried_for_ever,
        a_brand_says_what_is_told_to_whom_and_in_which_words,
        a_brands_own_texts_name_it,
        a_link_whose_text_fails_late_is_mailed_while_it_leads_somewhere,
        moves_within_a_minute_are_one_text,
        an_order_has_its_own_say,
        devices_see_what_became_of_news,
        an_answer_without_end_is_not_read_to_its_end,
        sendgrid_is_given_what_its_documentation_asks_for,
        a_mail_that_was_not_taken_is_sent_later_and_once,
        what_sendgrid_refuses_is_not_tried_for_ever,
        a_link_that_sendgrid_refuses_is_seen_as_failed,
        a_wrong_key_sends_nothing,
        a_number_gets_only_so_many_texts,
        a_brand_sends_only_so_many_texts_a_minute,
        a_limit_of_none_lets_none_through,
        a_country_abroad_gets_only_so_many_texts_a_day,
        a_night_is_waited_for_where_the_number_is,
        a_link_that_had_to_wait_is_not_texted_at_night,
        who_sends_at_the_same_moment_sends_once,
        a_limit_holds_whoever_sends,
        words_can_be_seen_before_they_are_sent,
        the_sandbox_is_seen_in_development_only,
        twilios_own_signatures_are_taken,
    ],
    migrations: [
        migrating_again_changes_nothing,
        replaying_the_files_changes_nothing,
        a_newer_schema_is_refused,
    ],
    order_page: [
        an_order_of_an_account_is_its_own,
        a_link_opens_its_order_and_nothing_else,
        the_page_sends_strangers_to_sign_in,
        a_cancelled_order_frees_everything_exactly,
        what_has_moved_cannot_be_called_off,
        somebody_else_collects_and_staff_know,
        news_go_where_the_shopper_agreed,
        only_what_was_handed_over_is_returned,
        the_page_is_small_sealed_and_in_three_languages,
        forms_do_what_the_api_does,
        a_stream_tells_that_the_order_changed,
        a_page_stops_listening_with_its_link_and_its_time,
        a_return_is_started_by_form,
        the_store_is_found_and_open,
        the_longest_order_fits_as_well,
        open_pages_hold_no_connection,
    ],
    origins: [
        pages_of_a_listed_origin_shop_here,
        what_everybody_may_read_every_page_may,
        what_is_for_no_page_stays_closed,
        that_the_database_is_away_can_be_read,
        only_origins_are_listed,
        a_shop_elsewhere_works_in_a_browser,
    ],
    streams: [
        a_network_and_an_order_have_so_many_streams,
        a_till_has_so_many_streams,
        an_account_has_so_many_streams,
    ],
    presence: [
        a_store_sees_who_comes_until_that_expires,
        nobody_is_kept_without_consent_or_with_a_place,
        only_an_order_that_waits_can_be_collected,
        a_till_that_scans_says_so_by_staff_only,
        a_board_is_for_the_stores_own_staff,
        an_event_reaches_streams_of_every_process,
        a_stream_ends_with_its_time_and_with_its_session,
        open_streams_hold_no_connection,
        a_ticker_of_one_route_settles_what_was_cut_short,
        a_document_of_another_shape_is_read_again,
    ],
    pos_collection: [
        a_pass_is_scanned_and_the_order_handed_over,
        wrong_store_used_expired_and_not_ready_are_four_answers,
        a_pass_that_is_not_ours_lets_nobody_collect,
        eight_tills_hand_over_once,
        a_part_is_handed_over_and_the_rest_needs_a_new_pass,
        what_was_handed_over_offline_is_settled_once,
        nobody_else_hands_over,
        a_layaway_is_paid_at_the_till_before_it_is_handed_over,
    ],
    pos_customer: [who_shows_a_code_is_served],
    pos_offline: [
        what_is_settled_late_is_booked_and_looked_into,
        who_handed_over_is_known_afterwards,
        what_was_shown_offline_is_what_the_policy_asks_for,
    ],
    pos_people: [
        somebody_signs_on_works_and_signs_off,
        wrong_pins_are_limited_and_tell_nothing,
        who_is_revoked_is_out,
        devices_and_people_belong_to_a_brand,
        the_audit_trail_cannot_be_changed,
    ],
    pos_sales: [
        what_is_scanned_is_sold_and_the_drawer_counted,
        the_last_unit_is_sold_at_one_of_two_tills,
        a_cart_begun_on_the_phone_is_paid_at_the_till,
        what_is_kept_for_somebody_is_sold_to_them,
        all_that_is_short_is_named,
        what_makes_no_sale_changes_nothing,
    ],
    race: [
        sixty_four_buyers_of_ten_units,
        sixty_four_buyers_of_ten_units_at_sixteen_requests_an_instance,
        two_hundred_buyers_of_twenty_units_harm_nobody,
        two_lines_of_one_sku_are_one_demand,
        the_last_unit_goes_to_one_of_two_buyers,
    ],
    read_model: [
        what_was_read_once_needs_no_sql,
        a_change_of_stock_becomes_visible,
        losing_the_store_costs_speed_only,
        unknown_names_leave_nothing_behind,
        an_unknown_name_is_looked_up_once_in_a_while,
    ],
    refunds: [
        what_a_layaway_owes_goes_back_once,
        a_provider_that_does_not_answer_is_asked_again,
        a_refund_that_is_refused_is_somebodys_task,
        an_order_that_nobody_collects_is_given_up,
        what_is_left_of_an_order_is_given_up,
        the_last_moment_is_somebodys,
        what_was_paid_at_a_till_is_given_back_there,
    ],
    sourcing: [
        a_warehouse_comes_first_unless_the_brand_says_otherwise,
        a_brand_may_protect_low_stock,
    ],
    housekeeping: [
        chores_read_what_is_due,
        idling_costs_the_same_whatever_the_number_of_brands,
    ],
    story: [
        from_a_search_to_collecting_at_a_store,
        shipping_with_tax_added_and_included,
        a_declined_payment_releases_the_stock,
    ],
    strangers: [
        codes_that_others_ask_for_keep_nobody_out,
        what_nobody_can_send_is_refused,
        who_has_the_code_gets_in_whatever_others_guess,
        holds_under_ones_number_are_no_ones_elses,
        links_of_strangers_leave_those_of_buyers,
        what_is_kept_past_its_time_is_free_at_once,
    ],
    transfers: [
        a_quote_says_from_where_when_and_why,
        a_cart_keeps_pieces_for_an_hour,
        two_requests_for_one_cart_bring_no_more_than_it_lacks,
        several_sources_only_if_they_are_accepted,
        a_request_that_makes_no_sense_is_refused,
        a_policy_can_exclude_shoppers,
        housekeeping_wants_the_relays_key,
        an_order_waits_for_its_transfer_and_gets_it,
        a_shelf_is_filled_with_what_really_arrives,
        a_store_sends_goods_of_its_own,
        a_promise_moves_with_the_goods,
        two_who_do_the_same_do_it_once,
        a_refusal_finds_another_source,
        an_order_that_lacks_goods_can_ask_again,
        a_request_that_nobody_answers_goes_elsewhere,
        what_is_short_comes_from_elsewhere,
        a_step_that_the_state_forbids_changes_nothing,
        counts_that_cannot_be_are_refused,
        the_wrong_people_move_nothing,
        the_wrong_people_ask_for_nothing,
        an_accounts_cart_is_served_for_it_alone,
        a_carrier_reports_and_no_more,
        a_store_pages_through_its_transfers,
        a_missed_departure_moves_the_promise_once,
        what_slips_too_far_comes_from_elsewhere,
        a_late_answer_is_a_new_promise,
        what_is_set_aside_is_promised_anew_too,
        a_refusal_takes_what_the_store_has_itself,
        a_store_that_has_it_all_needs_no_transfer,
        ten_thousand_requests_leave_enough_for_others,
        a_contact_has_only_so_many_requests,
        a_store_has_only_so_many_requests,
    ],
    typed: [
        mail_that_nobody_could_write_to_is_asked_for_at_every_door,
        a_buyer_is_one_person_however_they_are_written,
        numbers_of_new_plans_are_mobile,
        a_code_is_taken_however_it_was_pasted,
        an_article_is_found_in_every_symbol_that_carries_it,
        a_label_of_the_scales_says_article_and_measure,
    ],
    places: [
        the_nearest_that_have_it_come_first,
        without_a_place_those_with_most_come_first,
        pages_that_make_no_sense_are_refused,
        a_change_rewrites_its_piece_alone,
        a_store_that_closes_is_left_out,
        the_locator_finds_among_many,
        a_checkout_offers_fifty_stores_and_takes_any,
        what_many_stores_have_together_can_be_wished_for,
        a_quote_looks_at_lanes,
    ],
    pass: [
        a_ready_order_gets_a_pass_that_a_till_verifies_offline,
        without_something_to_collect_there_is_no_pass,
        a_new_pass_ends_the_one_before_it,
        passes_of_an_order_are_limited,
        keys_are_rotated_with_an_overlap,
        without_a_key_there_are_no_passes,
        an_order_tells_what_happened_to_it,
        two_readers_read_every_picture,
        what_is_no_picture_is_refused,
    ],
    holds: [
        ones_own_hold_is_bought,
        goods_are_kept_and_given_up,
        a_hold_ends_with_its_time,
        the_last_units_are_kept_for_few,
        a_contact_has_only_so_many_holds,
        impossible_holds_are_refused,
        the_end_and_a_pull_do_not_both_win,
    ],
    pull_list: [
        the_list_leads_through_holds_and_orders,
        a_hold_is_pulled_once,
        what_is_not_found_is_replaced_or_let_go,
        an_order_is_ready_once,
        only_staff_of_the_store_pull,
    ],
    counts: [
        two_devices_count_together,
        what_nobody_finds_is_missing,
        a_recount_settles_a_doubt,
        a_doubt_is_accepted_by_who_may,
        a_large_variance_needs_somebody_who_may,
        what_is_reserved_is_reported_and_stays,
        two_counts_correct_once,
        a_step_is_one_read_and_one_write,
        scans_are_refused_one_by_one,
        a_batch_sent_twice_at_once_counts_once,
        a_count_belongs_to_its_store,
    ],
    deliveries: [
        a_delivery_is_announced_scanned_and_closed,
        an_unannounced_delivery_is_received,
        a_delivery_belongs_to_its_store,
        a_balance_is_put_right_by_hand,
        two_people_put_one_balance_right,
        a_transfer_is_unpacked_with_scanners,
    ],
    layaway: [
        a_deposit_now_and_the_rest_in_parts,
        giving_up_costs_what_the_policy_says,
        a_payer_is_reminded_once_and_then_in_default,
        a_term_that_is_not_offered_is_not_taken,
        two_tills_take_a_part_once,
        the_page_and_a_till_take_a_part_once,
        giving_up_and_paying_do_not_lose_money,
    ],
    stores_story: [from_another_stores_shelf_to_the_shoppers_hands],
}

// An embedded key-value store is a process's own: many edges want servers.
harness::on_pair!(
    many_edges_on_servers,
    Servers,
    many_edges: [
        an_edge_dies_and_nothing_is_lost_or_doubled,
        a_relay_that_dies_is_followed_by_another,
        a_change_through_one_edge_shows_at_the_other,
        the_same_key_at_two_edges_is_one_order
    ]
);
