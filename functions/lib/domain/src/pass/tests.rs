use super::*;
use crate::id::new_id;
use proptest::prelude::*;

const NOW_MS: i64 = 1_779_123_600_000;
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const OTHER: &str = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff000102030405060708090a0b0c0d0e0f";

fn claims() -> PassClaims {
    let id = |first| new_id(NOW_MS, [first; 10]);
    PassClaims {
        brand_id: id(1),
        pass_id: id(2),
        order_id: id(3),
        location_id: id(4),
        issued_at_ms: NOW_MS,
        expires_at_ms: NOW_MS + 300_000,
    }
}

fn keys(text: &str) -> Keys {
    Keys::parse(text).ok().unwrap()
}

fn token() -> String {
    issue(&claims(), &keys(KEY)).unwrap()
}

#[test]
fn what_was_issued_is_verified_until_it_expires() {
    let (token, public) = (token(), keys(KEY).public());
    assert_eq!(token.len(), TOKEN_CHARS);
    assert!(is_pass_text(&token) && is_pass_text(&format!(" {}\n", token.to_lowercase())));
    assert!(
        token
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    );
    assert_eq!(verify(&token, &public, NOW_MS), Ok(claims()));
    assert_eq!(verify(&token.to_lowercase(), &public, NOW_MS), Ok(claims()));
    assert_eq!(
        verify(&token, &public, NOW_MS + 299_999),
        Ok(claims()),
        "valid to the end"
    );
    assert_eq!(
        verify(&token, &public, NOW_MS + 300_000),
        Err(PassError::Expired)
    );
    assert_eq!(read(&token, &public), Ok(claims()));
    assert_eq!(token, issue(&claims(), &keys(KEY)).unwrap());
}

#[test]
fn a_key_that_is_rotated_out_is_accepted_as_long_as_it_is_listed() {
    let old = token();
    let rotated = keys(&format!("{OTHER}, {KEY}"));
    assert_eq!(read(&old, &rotated.public()), Ok(claims()));
    let new = issue(&claims(), &rotated).unwrap();
    assert_ne!(old, new);
    assert_eq!(read(&new, &keys(OTHER).public()), Ok(claims()));
    assert_eq!(read(&new, &keys(KEY).public()), Err(PassError::UnknownKey));
    assert_eq!(
        read(&old, &keys(OTHER).public()),
        Err(PassError::UnknownKey)
    );
}

#[test]
fn a_till_needs_the_public_bytes_only() {
    let public = keys(KEY).public();
    let published = public.iter().map(|(_, bytes)| bytes);
    let fetched = PublicKeys::from_bytes(published).unwrap();
    assert_eq!(fetched, public);
    assert_eq!(read(&token(), &fetched), Ok(claims()));
    let (id, bytes) = public.iter().next().unwrap();
    assert_eq!(id.len(), 8);
    // What other implementations of Ed25519 derive from the secret key 00 01 02 … 1f.
    assert_eq!(
        data_encoding::HEXLOWER.encode(&bytes),
        "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
    );
}

#[test]
fn keys_that_make_no_sense_are_refused() {
    for (text, error) in [
        ("", KeyError::Missing),
        (" , ", KeyError::Missing),
        ("00", KeyError::Malformed),
        (&format!("{KEY}00"), KeyError::Malformed),
        (&format!("{}g", &KEY[1..]), KeyError::Malformed),
        (&format!("{KEY} {KEY}"), KeyError::SameId),
    ] {
        assert_eq!(Keys::parse(text).err(), Some(error), "{text}");
    }
}

#[test]
fn what_cannot_be_written_is_not_issued() {
    let keys = keys(KEY);
    for bad in [
        PassClaims {
            order_id: "no-id".into(),
            ..claims()
        },
        PassClaims {
            expires_at_ms: -1,
            ..claims()
        },
        PassClaims {
            expires_at_ms: i64::MAX,
            ..claims()
        },
    ] {
        assert_eq!(issue(&bad, &keys), None);
    }
}

#[test]
fn texts_that_are_no_pass_are_told_apart() {
    let token = token();
    let public = keys(KEY).public();
    for text in [
        "",
        "AP1",
        "4006381333931",
        "7Q4ZK-M0TCX",
        "https://id.gs1.org/01/04006381333931",
    ] {
        assert!(!is_pass_text(text), "{text}");
        assert_eq!(read(text, &public), Err(PassError::Malformed), "{text}");
    }
    for text in [
        &token[..220],
        &format!("{token}A"),
        &format!("AP2{}", &token[3..]),
        &token.replace('A', "ä"),
    ] {
        assert_eq!(read(text, &public), Err(PassError::Malformed), "{text}");
    }
}

proptest! {
    #[test]
    fn no_altered_token_is_accepted(position in 3..TOKEN_CHARS, digit in 0usize..32) {
        let original = token();
        let digit = &"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[digit..=digit];
        let mut altered = original.clone();
        altered.replace_range(position..=position, digit);
        prop_assume!(altered != original);
        prop_assert!(read(&altered, &keys(KEY).public()).is_err());
    }

    #[test]
    fn no_text_panics(text in "(AP1)?[A-Z2-7]{0,230}|.{0,230}") {
        let _ = (verify(&text, &keys(KEY).public(), NOW_MS), is_pass_text(&text), normalise_code(&text));
    }

    #[test]
    fn every_code_is_read_as_it_is_written(random in any::<[u8; 10]>()) {
        let code = code(random);
        prop_assert_eq!(normalise_code(&code), Some(code.clone()));
        let spoken = format!(" {}-{} ", &code[..3].to_lowercase(), &code[3..]);
        prop_assert_eq!(normalise_code(&spoken), Some(code));
    }
}

#[test]
fn look_alikes_are_forgiven_and_nonsense_is_not() {
    assert_eq!(normalise_code("oIl-bsz").as_deref(), Some("011852"));
    assert_eq!(normalise_code("uuuuuu").as_deref(), Some("VVVVVV"));
    for bad in ["", "12345", "1234567", "12345*", "12345é"] {
        assert_eq!(normalise_code(bad), None, "{bad}");
    }
}

const HERE: &str = "here";

fn facts() -> Facts<'static> {
    Facts {
        location_id: HERE,
        expires_at_ms: NOW_MS + 1,
        revoked_at_ms: None,
        used: false,
        pickup: PickupStatus::Ready,
        ready_at_ms: NOW_MS + 9,
    }
}

#[test]
fn each_reason_has_its_own_answer() {
    let with = |facts: Facts| judge(&facts, HERE, NOW_MS);
    let wrong_store = Verdict::WrongStore {
        location_id: HERE.into(),
    };
    let not_ready = Verdict::NotReady {
        ready_at_ms: NOW_MS + 9,
    };
    assert_eq!(with(facts()), Verdict::Good);
    assert_eq!(judge(&facts(), "there", NOW_MS), wrong_store);
    assert_eq!(
        with(Facts {
            used: true,
            ..facts()
        }),
        Verdict::AlreadyUsed
    );
    assert_eq!(
        with(Facts {
            expires_at_ms: NOW_MS,
            ..facts()
        }),
        Verdict::Expired
    );
    assert_eq!(
        with(Facts {
            revoked_at_ms: Some(NOW_MS),
            ..facts()
        }),
        Verdict::Expired
    );
    for (pickup, verdict) in [
        (PickupStatus::AwaitingTransfer, not_ready.clone()),
        (PickupStatus::Preparing, not_ready),
        (PickupStatus::Collected, Verdict::AlreadyUsed),
        (PickupStatus::Cancelled, Verdict::Cancelled),
    ] {
        assert_eq!(with(Facts { pickup, ..facts() }), verdict);
        assert_eq!(PickupStatus::parse(pickup.name()), Some(pickup));
    }
}

#[test]
fn of_several_reasons_the_lasting_one_is_told() {
    let all = Facts {
        used: true,
        expires_at_ms: NOW_MS,
        pickup: PickupStatus::Preparing,
        ..facts()
    };
    assert_eq!(judge(&all, "there", NOW_MS).code(), "wrong_store");
    assert_eq!(judge(&all, HERE, NOW_MS).code(), "already_used");
    let unused = Facts { used: false, ..all };
    assert_eq!(judge(&unused, HERE, NOW_MS).code(), "expired");
}
