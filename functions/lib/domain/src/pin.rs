//! The PIN with which a person signs on: never kept, only what it is checked against.

/// The fewest and the most digits.
pub const DIGITS: std::ops::RangeInclusive<usize> = 4..=12;

/// Rounds of a new hash. A PIN has few digits: what protects it is that guesses are counted;
/// the rounds are for when the table gets into wrong hands.
const ROUNDS: u32 = 100_000;
/// More than anybody would have written: a stored text must not keep a function busy.
const MAX_ROUNDS: u32 = 1_000_000;
const SCHEME: &str = "pbkdf2-sha256";
const HASH_BYTES: usize = 32;

/// Whether `pin` is one: digits only.
pub fn is_pin(pin: &str) -> bool {
    DIGITS.contains(&pin.len()) && pin.bytes().all(|byte| byte.is_ascii_digit())
}

/// What to keep of a PIN (PBKDF2 with HMAC-SHA-256, RFC 8018): scheme, rounds, salt and
/// hash, separated by `$`. The salt must be new for each person.
pub fn hash(pin: &str, salt: [u8; 10]) -> String {
    let salt = hex(&salt);
    let hash = hex(&derive(pin, &salt, ROUNDS));
    format!("{SCHEME}${ROUNDS}${salt}${hash}")
}

/// Whether `pin` is the one that `kept` was made of, in a time that does not depend on
/// where they differ. A text that [`hash`] did not make fits no PIN.
pub fn fits(pin: &str, kept: &str) -> bool {
    let mut parts = kept.split('$');
    let (Some(SCHEME), Some(rounds), Some(salt), Some(hash), None) = (
        parts.next(),
        parts.next().and_then(|rounds| rounds.parse().ok()),
        parts.next(),
        parts.next(),
        parts.next(),
    ) else {
        return false;
    };
    if !(1..=MAX_ROUNDS).contains(&rounds) || hash.len() != 2 * HASH_BYTES {
        return false;
    }
    let derived = hex(&derive(pin, salt, rounds));
    let differences = derived.bytes().zip(hash.bytes()).map(|(a, b)| a ^ b);
    differences.fold(0, |all, one| all | one) == 0
}

/// As much work as [`fits`] is, for a person who is not known: the time that a refusal
/// takes must not tell who is.
pub fn fits_nobody(pin: &str) -> bool {
    // The result decides nothing, but must not be optimised away.
    std::hint::black_box(derive(pin, "nobody", ROUNDS));
    false
}

fn derive(pin: &str, salt: &str, rounds: u32) -> [u8; HASH_BYTES] {
    pbkdf2::pbkdf2_hmac_array::<sha2::Sha256, HASH_BYTES>(pin.as_bytes(), salt.as_bytes(), rounds)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_fits_what_was_made_of_it_and_nothing_else() {
        let kept = hash("2468", [7; 10]);
        assert!(fits("2468", &kept));
        assert!(!fits("2469", &kept) && !fits("", &kept) && !fits_nobody("2468"));
        assert_ne!(kept, hash("2468", [8; 10]));
        for broken in ["", "2468", "pbkdf2-sha256$0$00$00", "x$100000$00$00"] {
            assert!(!fits("2468", broken), "{broken}");
        }
        assert!(!fits("2468", &format!("{kept}$")));
    }

    /// The vector of RFC 7914, section 11, which is of the same function.
    #[test]
    fn the_function_is_the_standards_one() {
        let derived = hex(&derive("passwd", "salt", 1));
        assert!(derived.starts_with("55ac046e56e3089fec1691c22544b605"));
    }

    #[test]
    fn a_pin_is_digits() {
        assert!(is_pin("0000") && is_pin("123456789012"));
        for bad in ["", "123", "1234567890123", "12a4", "１２３４"] {
            assert!(!is_pin(bad), "{bad}");
        }
    }
}
