//! Money: integer minor units of an ISO 4217 currency, and the one way it is rounded.

use std::fmt;

/// The largest amount that travels: what a JSON number carries exactly (UCP `amount.json`).
pub const MAX_MINOR: i64 = 9_007_199_254_740_991;

/// Currencies in circulation, ISO 4217, list one, without funds codes and metals.
const CODES: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP \
    BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD \
    GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP \
    LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN \
    PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS \
    TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";
const WITHOUT_MINOR_UNIT: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
const WITH_THREE_DIGITS: &str = "BHD IQD JOD KWD LYD OMR TND";

/// A currency of ISO 4217.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Currency(&'static str);

/// The text is no ISO 4217 code of a currency in circulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownCurrency;

impl Currency {
    /// Reads an upper-case alphabetic code, such as `EUR`.
    pub fn parse(code: &str) -> Result<Self, UnknownCurrency> {
        CODES
            .split_ascii_whitespace()
            .find(|known| *known == code)
            .map(Self)
            .ok_or(UnknownCurrency)
    }

    pub fn code(self) -> &'static str {
        self.0
    }

    /// How many decimal digits its minor unit has: 2 for EUR, 0 for JPY, 3 for KWD.
    pub fn exponent(self) -> u8 {
        let among = |list: &str| list.split_ascii_whitespace().any(|code| code == self.0);
        match () {
            () if among(WITHOUT_MINOR_UNIT) => 0,
            () if among(WITH_THREE_DIGITS) => 3,
            () => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

/// An amount would leave the range 0 to [`MAX_MINOR`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AmountOverflow;

/// How many decimal digits the minor unit of a currency has; 0 for an unknown one.
pub fn exponent(currency: &str) -> u8 {
    Currency::parse(currency).map_or(0, Currency::exponent)
}

/// An amount for people, such as `12.30 EUR`. Of an unknown currency the minor units.
pub fn readable(amount_minor: i64, currency: &str) -> String {
    let exponent = exponent(currency);
    let (whole, rest) = (
        amount_minor / 10_i64.pow(exponent.into()),
        (amount_minor % 10_i64.pow(exponent.into())).abs(),
    );
    match usize::from(exponent) {
        0 => format!("{whole} {currency}"),
        digits => format!("{whole}.{rest:0digits$} {currency}"),
    }
}

/// `price_minor` times `quantity`, in minor units.
pub fn extend(price_minor: i64, quantity: i64) -> Result<i64, AmountOverflow> {
    within(i128::from(price_minor) * i128::from(quantity))
}

/// The sum, in minor units.
pub fn sum(amounts_minor: impl IntoIterator<Item = i64>) -> Result<i64, AmountOverflow> {
    within(amounts_minor.into_iter().map(i128::from).sum())
}

/// `amount_minor * numerator / denominator`, rounded half away from zero. The
/// denominator is positive.
pub fn share(amount_minor: i64, numerator: i64, denominator: i64) -> Result<i64, AmountOverflow> {
    let (product, denominator) = (
        i128::from(amount_minor) * i128::from(numerator),
        i128::from(denominator.max(1)),
    );
    let half = if product < 0 {
        -denominator
    } else {
        denominator
    };
    within((2 * product + half) / (2 * denominator))
}

fn within(amount_minor: i128) -> Result<i64, AmountOverflow> {
    let amount = i64::try_from(amount_minor).map_err(|_| AmountOverflow)?;
    (0..=MAX_MINOR)
        .contains(&amount)
        .then_some(amount)
        .ok_or(AmountOverflow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn currencies_and_their_minor_units() {
        let exponent = |code| Currency::parse(code).map(Currency::exponent);
        assert_eq!(
            [exponent("EUR"), exponent("JPY"), exponent("KWD")],
            [Ok(2), Ok(0), Ok(3)]
        );
        for unknown in ["", "eur", "XXX", "EURO", "EU", "E R", "USD "] {
            assert_eq!(Currency::parse(unknown), Err(UnknownCurrency), "{unknown}");
        }
    }

    #[test]
    fn amounts_are_written_with_the_currencys_digits() {
        let written = [(1_230, "EUR"), (5, "EUR"), (1_230, "JPY"), (1_230, "KWD")]
            .map(|(amount, currency)| readable(amount, currency));
        assert_eq!(written, ["12.30 EUR", "0.05 EUR", "1230 JPY", "1.230 KWD"]);
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        assert_eq!(share(5, 1, 10), Ok(1));
        assert_eq!(share(4, 1, 10), Ok(0));
        assert_eq!(share(15, 1, 10), Ok(2));
    }

    #[test]
    fn what_a_json_number_cannot_carry_is_refused() {
        assert_eq!(extend(MAX_MINOR, 2), Err(AmountOverflow));
        assert_eq!(extend(i64::MAX, i64::MAX), Err(AmountOverflow));
        assert_eq!(extend(5, -1), Err(AmountOverflow));
        assert_eq!(sum([MAX_MINOR, 1]), Err(AmountOverflow));
    }

    proptest! {
        #[test]
        fn a_share_is_off_by_at_most_half(amount in 0..=MAX_MINOR / 4, ppm in 0_i64..=4_000_000) {
            let rounded = i128::from(share(amount, ppm, 1_000_000).unwrap());
            let exact = i128::from(amount) * i128::from(ppm);
            prop_assert!((rounded * 1_000_000 - exact).abs() <= 500_000);
        }
    }
}
