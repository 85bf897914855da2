//! A shopper's account: the codes that prove an address, and the devices that are signed in.

use serde::{Deserialize, Serialize};

use crate::typed::plain;

/// Characters of a person's name or a device's, at most.
pub const MAX_NAME_CHARS: usize = 100;
/// Addresses that one account is known by, at most.
pub const MAX_IDENTITIES: usize = 10;
/// Devices that are signed in at the same time; one more ends the one that was used longest ago.
pub const MAX_SESSIONS: i64 = 50;

/// How long a code can be used.
pub const CODE_LIFETIME_MS: i64 = 10 * MINUTE_MS;
/// Guesses at one code.
pub const CODE_ATTEMPTS: i64 = 5;
/// How long a till can know a customer by the code that their device shows.
pub const CUSTOMER_CODE_LIFETIME_MS: i64 = 120_000;

/// How long an access token lasts.
pub const ACCESS_LIFETIME_MS: i64 = 15 * MINUTE_MS;
/// A device that is not used for this long is signed out: one that was away for a month still
/// catches up; …
pub const IDLE_LIFETIME_MS: i64 = 60 * DAY_MS;
/// … and every device this long after it signed in.
pub const SESSION_LIFETIME_MS: i64 = 180 * DAY_MS;
/// For this long a refresh whose answer was lost is answered once more.
pub const REPEAT_MS: i64 = 10_000;
/// What cannot be undone needs a sign-in that is no older.
pub const FRESH_MS: i64 = 10 * MINUTE_MS;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// Codes: 0 to this.
const CODES: u32 = 1_000_000;
/// The largest multiple of [`CODES`] that three bytes can hold: numbers from here on would
/// make some codes likelier than others.
const FAIR: u32 = 16 * CODES;

/// Crockford's base 32.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// What the text of a customer code begins with.
const CUSTOMER_PREFIX: &str = "AISLE:C:";

/// The document of table `account`: whatever it knows of a person but their addresses.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Account {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// BCP 47, such as `de`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

/// A code of six digits, each of the million as likely as any other; `None`, once in ten
/// thousand times, when these bytes decide on none.
pub fn code(random: [u8; 10]) -> Option<String> {
    let numbers = random.chunks_exact(3).map(|bytes| {
        bytes
            .iter()
            .fold(0, |number, byte| number << 8 | u32::from(*byte))
    });
    numbers
        .filter(|number| *number < FAIR)
        .map(|number| format!("{:06}", number % CODES))
        .next()
}

/// The digits of a code as somebody typed or pasted it, in any script; blanks, hyphens and
/// marks around and between them go. `None`: no code at all.
pub fn normalise_code(text: &str) -> Option<String> {
    const MAX_BYTES: usize = 100;
    let typed = (text.len() <= MAX_BYTES).then(|| plain(text))?;
    let code: String = typed.chars().filter(char::is_ascii_alphanumeric).collect();
    let other = typed.chars().any(|c| c.is_alphanumeric() && !c.is_ascii());
    let digits = code.bytes().all(|digit| digit.is_ascii_digit());
    (code.len() == 6 && digits && !other).then_some(code)
}

/// A code that a till reads from a shopper's screen: ten characters, 50 random bits.
pub fn customer_code(random: [u8; 10]) -> String {
    random
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte & 31)]))
        .collect()
}

/// What the QR code of a customer code says.
pub fn customer_text(code: &str) -> String {
    format!("{CUSTOMER_PREFIX}{code}")
}

/// The customer code in what a scanner read, if it is one.
pub fn customer_code_in(text: &str) -> Option<&str> {
    let code = text.trim().strip_prefix(CUSTOMER_PREFIX)?;
    let known = |byte: u8| ALPHABET.contains(&byte);
    (code.len() == 10 && code.bytes().all(known)).then_some(code)
}

/// Whether `text` has the form of a language tag (BCP 47): `de`, `pt-BR`, `zh-Hant-TW`.
pub fn is_locale(text: &str) -> bool {
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default();
    let alphanumeric = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    text.len() <= 35
        && (2..=3).contains(&first.len())
        && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(alphanumeric)
}

/// What a shopper may call the device that a browser runs on, after the words by which the
/// browser names itself: `Firefox on Android`.
pub fn browser_name(user_agent: &str) -> String {
    // The first that is found: most browsers also name those before them.
    const BROWSERS: [(&str, &str); 6] = [
        ("Edg", "Edge"),
        ("SamsungBrowser", "Samsung Internet"),
        ("Firefox", "Firefox"),
        ("FxiOS", "Firefox"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 6] = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Mac OS X", "Mac"),
        ("Windows", "Windows"),
        ("Linux", "Linux"),
    ];
    let named = |known: &[(&str, &'static str)]| {
        let found = known.iter().find(|(word, _)| user_agent.contains(word));
        found.map(|(_, name)| *name)
    };
    let browser = named(&BROWSERS).unwrap_or("Browser");
    match named(&SYSTEMS) {
        Some(system) => format!("{browser} on {system}"),
        None => browser.to_owned(),
    }
}

/// When a device that signed in at `created_at_ms` and is used now is signed out.
pub fn session_ends_at_ms(created_at_ms: i64, now_ms: i64) -> i64 {
    (now_ms + IDLE_LIFETIME_MS).min(created_at_ms + SESSION_LIFETIME_MS)
}

/// When an access token that is issued now is over; never after its session.
pub fn access_ends_at_ms(session_ends_at_ms: i64, now_ms: i64) -> i64 {
    (now_ms + ACCESS_LIFETIME_MS).min(session_ends_at_ms)
}

/// A refresh token that was shown, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown<'a> {
    pub session_over: bool,
    pub used_at_ms: Option<i64>,
    /// What the request that used it is known by, if it had a key.
    pub used_key: Option<&'a str>,
    /// The token that it was exchanged for has been used.
    pub successor_used: bool,
}

/// What a refresh token that was shown is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchange {
    /// A new pair of tokens.
    Fresh,
    /// The same pair again: its answer was lost.
    Again,
    /// Nothing, and its session is over from now on: one of two who have it stole it.
    Stolen,
    /// Nothing: the session is over.
    Over,
}

impl Shown<'_> {
    /// `key` is what this request is known by, if it has a key.
    pub fn judge(&self, key: Option<&str>, now_ms: i64) -> Exchange {
        let Some(used_at_ms) = self.used_at_ms else {
            return if self.session_over {
                Exchange::Over
            } else {
                Exchange::Fresh
            };
        };
        let same = key.is_some() && key == self.used_key;
        let lost = same && now_ms - used_at_ms < REPEAT_MS && !self.successor_used;
        match (self.session_over, lost) {
            (true, _) => Exchange::Over,
            (false, true) => Exchange::Again,
            (false, false) => Exchange::Stolen,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn codes_are_fair() {
        assert_eq!(code([0; 10]).as_deref(), Some("000000"));
        // 16,000,000 and above: the next three bytes decide.
        let skipped = [0xf4, 0x24, 0x00, 0, 0, 7, 0, 0, 0, 0];
        assert_eq!(code(skipped).as_deref(), Some("000007"));
        let last = [0xf4, 0x23, 0xff, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(code(last).as_deref(), Some("999999"));
        assert_eq!(code([0xff; 10]), None);
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        assert_eq!(normalise_code(" 123 456").as_deref(), Some("123456"));
        assert_eq!(normalise_code("123-456").as_deref(), Some("123456"));
        assert_eq!(normalise_code("\u{661}23456").as_deref(), Some("123456"));
        for bad in ["", "12345", "1234567", "12345a"] {
            assert_eq!(normalise_code(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_customer_code_is_found_in_what_was_scanned() {
        let code = customer_code([0, 1, 2, 3, 4, 5, 6, 7, 8, 255]);
        assert_eq!(customer_code_in(&customer_text(&code)), Some(code.as_str()));
        for bad in [
            "",
            "AISLE:C:",
            "AISLE:C:0123",
            "aisle:c:0123456789",
            "0123456789",
        ] {
            assert_eq!(customer_code_in(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_browser_is_called_by_its_name() {
        let phone = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Mobile Safari/537.36";
        assert_eq!(browser_name(phone), "Chrome on Android");
        let desk =
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0";
        assert_eq!(browser_name(desk), "Edge on Windows");
        assert_eq!(browser_name("curl/8.0"), "Browser");
    }

    #[test]
    fn language_tags_are_known_by_their_form() {
        for good in ["de", "en-US", "zh-Hant-TW", "gsw"] {
            assert!(is_locale(good), "{good}");
        }
        for bad in [
            "",
            "d",
            "german",
            "de_DE",
            "de-",
            "de-\u{e9}",
            &"de-a".repeat(20),
        ] {
            assert!(!is_locale(bad), "{bad}");
        }
    }

    fn used(ago_ms: i64, key: Option<&str>) -> Shown<'_> {
        Shown {
            session_over: false,
            used_at_ms: Some(1_000_000 - ago_ms),
            used_key: key,
            successor_used: false,
        }
    }

    #[test]
    fn a_token_that_comes_twice_was_stolen_unless_its_answer_was_lost() {
        let now_ms = 1_000_000;
        let fresh = Shown {
            used_at_ms: None,
            ..used(0, None)
        };
        assert_eq!(fresh.judge(None, now_ms), Exchange::Fresh);
        assert_eq!(
            used(9_999, Some("k")).judge(Some("k"), now_ms),
            Exchange::Again
        );
        for (shown, key) in [
            (used(10_000, Some("k")), Some("k")),
            (used(1, Some("k")), Some("other")),
            (used(1, Some("k")), None),
            (used(1, None), None),
            (
                Shown {
                    successor_used: true,
                    ..used(1, Some("k"))
                },
                Some("k"),
            ),
        ] {
            assert_eq!(shown.judge(key, now_ms), Exchange::Stolen, "{shown:?}");
        }
        for shown in [fresh, used(1, Some("k"))] {
            let over = Shown {
                session_over: true,
                ..shown
            };
            assert_eq!(over.judge(Some("k"), now_ms), Exchange::Over);
        }
    }

    proptest! {
        /// However often a device is used, it is signed out 180 days after it signed in,
        /// and no access token outlives its session.
        #[test]
        fn a_session_slides_to_its_end(created in 0_i64..1 << 40, steps in prop::collection::vec(1..IDLE_LIFETIME_MS, 1..40)) {
            let (mut now, mut ends) = (created, session_ends_at_ms(created, created));
            for step in steps {
                now += step;
                if now >= ends { break; }
                ends = session_ends_at_ms(created, now);
                prop_assert!(ends <= created + SESSION_LIFETIME_MS);
                prop_assert!(access_ends_at_ms(ends, now) <= ends);
                prop_assert!(access_ends_at_ms(ends, now) > now);
            }
        }

        #[test]
        fn a_code_has_six_digits(random: [u8; 10]) {
            if let Some(code) = code(random) {
                prop_assert_eq!(normalise_code(&code), Some(code));
            }
        }
    }
}
