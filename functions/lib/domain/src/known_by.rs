//! What a person is known by where requests of one person are counted: the same however it
//! was typed, and never the number or the address itself.

use crate::contact;
use crate::typed::plain;

/// One key for the number and one for the address, in order, each the `digest` of a text
/// that is the same however it was typed.
pub fn keys(
    number: Option<&str>,
    address: Option<&str>,
    digest: impl Fn(&str) -> String,
) -> Vec<String> {
    let mail = |text| contact::email(text).unwrap_or_else(|_| plain(text).to_lowercase());
    let number = number.map(|text| format!("tel:{}", contact::dialled(text)));
    let address = address.map(|text| format!("mailto:{}", mail(text)));
    let texts = number.iter().chain(&address);
    let mut keys: Vec<String> = texts.map(|text| digest(text)).collect();
    keys.sort_unstable();
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_the_same_keys_however_they_are_typed() {
        let keys = |number, address| keys(number, address, str::to_owned);
        assert_eq!(
            keys(Some("+49 (30) 555-0143"), Some(" Ada@Example.com ")),
            keys(Some("+49305550143"), Some("ada@example.com"))
        );
        assert_eq!(keys(None, Some("a@b.example")), ["mailto:a@b.example"]);
        assert!(keys(None, None).is_empty());
    }
}
