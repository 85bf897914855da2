//! What a person is known by where requests of one person are counted: the same however it
//! was typed, and never the number or the address itself.

/// Takes away what people put into a phone number when they write it.
pub fn phone_number(text: &str) -> String {
    let spoken = |c: char| c.is_whitespace() || "-.()/".contains(c);
    text.replace(spoken, "")
}

pub fn email(text: &str) -> String {
    text.trim().to_lowercase()
}

/// One key for the number and one for the address, in order, each the `digest` of a text
/// that is the same however it was typed.
pub fn keys(
    number: Option<&str>,
    address: Option<&str>,
    digest: impl Fn(&str) -> String,
) -> Vec<String> {
    let number = number.map(|text| format!("tel:{}", phone_number(text)));
    let address = address.map(|text| format!("mailto:{}", email(text)));
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
