//! Amounts of money.

use aisle_domain::money::Currency;
use icu_decimal::input::Decimal;

use crate::{Locale, number::decimal};

/// Between an amount and what follows or precedes it; no line is broken there.
const NO_BREAK_SPACE: char = '\u{a0}';

/// `amount_minor` of the ISO 4217 `currency` with as many decimals as it has and its sign as
/// the language writes it: `€12.50`, `12,50 €`. A currency without a sign there, or one that
/// is not known, shows its code.
pub fn money(amount_minor: i64, currency: &str, locale: Locale) -> String {
    let exponent = Currency::parse(currency).map_or(2, Currency::exponent);
    let mut value = Decimal::from(amount_minor.unsigned_abs());
    value.multiply_pow10(-i16::from(exponent));
    let amount = decimal(value, locale);
    let minus = if amount_minor < 0 { "-" } else { "" };
    let sign = sign(currency, locale);
    match (locale, sign) {
        (Locale::En, Some(sign)) => format!("{minus}{sign}{amount}"),
        (Locale::En, None) => format!("{minus}{currency}{NO_BREAK_SPACE}{amount}"),
        (_, sign) => format!(
            "{minus}{amount}{NO_BREAK_SPACE}{}",
            sign.unwrap_or(currency)
        ),
    }
}

/// As the CLDR has it: what is `$` at home is told apart where it is not.
fn sign(currency: &str, locale: Locale) -> Option<&'static str> {
    match (currency, locale) {
        ("EUR", _) => Some("€"),
        ("USD", Locale::Es) => Some("US$"),
        ("USD", _) => Some("$"),
        ("GBP", Locale::En | Locale::De) => Some("£"),
        ("JPY", Locale::En | Locale::De) => Some("¥"),
        ("CAD", Locale::En | Locale::De) => Some("CA$"),
        ("MXN", Locale::En) => Some("MX$"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(amount_minor: i64, currency: &str) -> [String; 3] {
        Locale::ALL.map(|locale| money(amount_minor, currency, locale).replace('\u{a0}', "_"))
    }

    #[test]
    fn amounts_are_written_as_at_home() {
        assert_eq!(
            said(123_450, "EUR"),
            ["€1,234.50", "1234,50_€", "1.234,50_€"]
        );
        assert_eq!(said(5, "USD"), ["$0.05", "0,05_US$", "0,05_$"]);
        assert_eq!(said(-1_000, "EUR"), ["-€10.00", "-10,00_€", "-10,00_€"]);
    }

    #[test]
    fn every_currency_has_its_own_decimals() {
        assert_eq!(said(1_500, "JPY"), ["¥1,500", "1500_JPY", "1.500_¥"]);
        assert_eq!(said(1_234, "KWD"), ["KWD_1.234", "1,234_KWD", "1,234_KWD"]);
        assert_eq!(said(1_250, "CHF"), ["CHF_12.50", "12,50_CHF", "12,50_CHF"]);
        assert_eq!(said(100, "???")[0], "???_1.00");
    }
}
