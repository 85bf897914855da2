//! A brand's own app for phones: what lets it open the brand's links, and where it is had.

use serde::{Deserialize, Serialize};

/// The most entries of each list.
const MAX_ENTRIES: usize = 20;
/// Bytes of an app's name, at most.
const MAX_NAME_BYTES: usize = 255;

/// The app of one brand, for the phones that there is one for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct App {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apple: Option<AppleApp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub android: Option<AndroidApp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AppleApp {
    /// Application identifiers, team and bundle: `ABCDE12345.com.example.shop`.
    pub app_ids: Vec<String>,
    /// The app's number in the App Store.
    pub store_id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AndroidApp {
    /// `com.example.shop`
    pub package: String,
    /// SHA-256 of the certificates that it is signed with: 32 pairs of hexadecimal digits in
    /// capitals, with colons between them.
    pub cert_fingerprints: Vec<String>,
}

/// What somebody holds in their hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phone {
    Apple,
    Android,
}

impl Phone {
    /// By what the browser says of itself; `None` for what is no phone.
    pub fn of(user_agent: &str) -> Option<Self> {
        let says = |word| user_agent.contains(word);
        if says("Android") {
            Some(Self::Android)
        } else if says("iPhone") || says("iPad") || says("iPod") {
            Some(Self::Apple)
        } else {
            None
        }
    }
}

impl App {
    /// Checks what the shape alone cannot: the first wrong field, and what is wrong with it.
    pub fn validate(&self) -> Result<(), (&'static str, &'static str)> {
        if let Some(apple) = &self.apple {
            let ids = &apple.app_ids;
            let fits = (1..=MAX_ENTRIES).contains(&ids.len()) && ids.iter().all(|id| is_apple(id));
            check(
                fits,
                "apple.app_ids",
                "1 to 20 such as ABCDE12345.com.example.shop",
            )?;
            let digits = apple.store_id.bytes().all(|byte| byte.is_ascii_digit());
            let fits = digits && (1..=20).contains(&apple.store_id.len());
            check(fits, "apple.store_id", "1 to 20 digits")?;
        }
        if let Some(android) = &self.android {
            let fits = is_name(&android.package) && android.package.contains('.');
            check(
                fits,
                "android.package",
                "no package such as com.example.shop",
            )?;
            let prints = &android.cert_fingerprints;
            let fits = (1..=MAX_ENTRIES).contains(&prints.len())
                && prints.iter().all(|print| is_fingerprint(print));
            check(
                fits,
                "android.cert_fingerprints",
                "1 to 20 SHA-256 fingerprints",
            )?;
        }
        Ok(())
    }

    /// What opens `url` (an absolute one) in the app on this phone, or else leads to where the
    /// app is had. `None` when there is no app for it. An iPhone opens an app that it has by
    /// itself, and from the banner of the page; the App Store is for those who lack it.
    pub fn opens(&self, phone: Phone, url: &str) -> Option<String> {
        match phone {
            Phone::Apple => {
                let id = &self.apple.as_ref()?.store_id;
                Some(format!("https://apps.apple.com/app/id{id}"))
            }
            Phone::Android => {
                let package = &self.android.as_ref()?.package;
                let (scheme, place) = url.split_once("://")?;
                let store = format!(
                    "https%3A%2F%2Fplay.google.com%2Fstore%2Fapps%2Fdetails%3Fid%3D{package}"
                );
                Some(format!(
                    "intent://{place}#Intent;scheme={scheme};package={package};S.browser_fallback_url={store};end"
                ))
            }
        }
    }

    /// The content of `<meta name="apple-itunes-app">`, with which Safari offers to open `url`
    /// in the app, or to get it.
    pub fn apple_banner(&self, url: &str) -> Option<String> {
        let id = &self.apple.as_ref()?.store_id;
        Some(format!("app-id={id}, app-argument={url}"))
    }
}

fn check(
    fits: bool,
    path: &'static str,
    detail: &'static str,
) -> Result<(), (&'static str, &'static str)> {
    fits.then_some(()).ok_or((path, detail))
}

fn is_apple(id: &str) -> bool {
    id.split_once('.').is_some_and(|(team, bundle)| {
        team.len() == 10
            && team
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            && is_name(bundle)
    })
}

fn is_name(text: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

fn is_fingerprint(text: &str) -> bool {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
    text.len() == 95
        && text
            .bytes()
            .enumerate()
            .all(|(place, byte)| match place % 3 {
                2 => byte == b':',
                _ => hex(byte),
            })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> App {
        App {
            apple: Some(AppleApp {
                app_ids: vec!["ABCDE12345.com.example.shop".into()],
                store_id: "123456789".into(),
            }),
            android: Some(AndroidApp {
                package: "com.example.shop".into(),
                cert_fingerprints: vec![["AB"; 32].join(":")],
            }),
        }
    }

    fn fault(change: impl Fn(&mut AppleApp, &mut AndroidApp)) -> &'static str {
        let mut app = app();
        change(app.apple.as_mut().unwrap(), app.android.as_mut().unwrap());
        app.validate().unwrap_err().0
    }

    #[test]
    fn what_no_phone_would_accept_is_named() {
        assert_eq!(app().validate(), Ok(()));
        assert_eq!(App::default().validate(), Ok(()));
        assert_eq!(fault(|apple, _| apple.app_ids.clear()), "apple.app_ids");
        for id in [
            "com.example.shop",
            "abcde12345.com.example.shop",
            "ABCDE12345.",
        ] {
            assert_eq!(
                fault(|apple, _| apple.app_ids[0] = id.into()),
                "apple.app_ids"
            );
        }
        assert_eq!(
            fault(|apple, _| apple.store_id = "id1".into()),
            "apple.store_id"
        );
        assert_eq!(
            fault(|_, android| android.package = "shop;end".into()),
            "android.package"
        );
        let print = ["ab"; 32].join(":");
        let lower = fault(|_, android| android.cert_fingerprints[0] = print.clone());
        assert_eq!(lower, "android.cert_fingerprints");
    }

    #[test]
    fn a_phone_opens_the_app_or_finds_it_in_its_store() {
        let url = "https://shop.example/i/abc";
        assert_eq!(
            app().opens(Phone::Android, url).unwrap(),
            "intent://shop.example/i/abc#Intent;scheme=https;package=com.example.shop;\
             S.browser_fallback_url=https%3A%2F%2Fplay.google.com%2Fstore%2Fapps%2Fdetails%3Fid%3Dcom.example.shop;end"
        );
        assert_eq!(
            app().opens(Phone::Apple, url).unwrap(),
            "https://apps.apple.com/app/id123456789"
        );
        assert_eq!(App::default().opens(Phone::Android, url), None);
        let banner = app().apple_banner(url).unwrap();
        assert_eq!(
            banner,
            "app-id=123456789, app-argument=https://shop.example/i/abc"
        );
    }

    #[test]
    fn a_phone_says_what_it_is() {
        let android = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36";
        let apple = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15";
        let laptop = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";
        assert_eq!(Phone::of(android), Some(Phone::Android));
        assert_eq!(Phone::of(apple), Some(Phone::Apple));
        assert_eq!(Phone::of(laptop), None);
    }
}
