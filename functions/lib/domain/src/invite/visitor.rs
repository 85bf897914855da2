//! Who follows a link: a person, or a program that looks what is behind it. Messengers fetch
//! a link to show a preview, scanners to see whether it is dangerous, browsers ahead of time.

/// What is known of whoever asks, by its own words: good enough to say when a person first
/// looked, and never a reason to let anybody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visitor {
    /// A browser that somebody looks at.
    Person,
    /// A program that shows others what is behind a link.
    Preview,
    /// Anything else: an app, a script, a browser that fetches ahead.
    Program,
}

/// What previewers and scanners call themselves that are no bot by name, in lower case.
const PREVIEWERS: [&str; 17] = [
    "crawler",
    "spider",
    "preview",
    "facebookexternalhit",
    "facebookcatalog",
    "whatsapp/",
    "slack-imgproxy",
    "embedly",
    "vkshare",
    "viber/",
    "iframely",
    "mastodon/",
    "pleroma",
    "google-safety",
    "google-pagerenderer",
    "headlesschrome",
    "scanner",
];

/// A maker of phones, whose name a bot's could be.
const PHONE: &str = "cubot";

impl Visitor {
    /// By the method, the `User-Agent`, and whether the browser says that nobody looks yet
    /// (`Sec-Purpose`, or `Purpose` and `X-Moz` before it).
    pub fn of(is_head: bool, user_agent: &str, ahead: bool) -> Self {
        let agent = user_agent.to_ascii_lowercase();
        let mut words = agent.split(|one: char| !one.is_ascii_alphanumeric());
        let bot = words.any(|word| word.ends_with("bot") && word != PHONE);
        if bot || PREVIEWERS.iter().any(|name| agent.contains(name)) {
            return Self::Preview;
        }
        if is_head || ahead || !agent.starts_with("mozilla/5.0 (") {
            return Self::Program;
        }
        Self::Person
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previewers_and_scanners_are_known_by_their_names() {
        for agent in [
            "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
            "WhatsApp/2.23.20.0",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) \
             Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
            "TelegramBot (like TwitterBot)",
            "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
            "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
            "LinkedInBot/1.0 (compatible; Mozilla/5.0)",
            "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (Linux; Android 6.0.1) AppleWebKit/537.36 (compatible; bingbot/2.0)",
            "Viber/20.0",
            "Twitterbot",
        ] {
            assert_eq!(
                Visitor::of(false, agent, false),
                Visitor::Preview,
                "{agent}"
            );
        }
    }

    #[test]
    fn people_come_with_browsers() {
        for agent in [
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
             Version/18.0 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Linux; Android 13; CUBOT X70) AppleWebKit/537.36 (KHTML, like Gecko) \
             Chrome/126.0.0.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; Android 13; CUBOT) AppleWebKit/537.36",
            "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5) AppleWebKit/605.1.15 Mobile/15E148 Instagram 335.1.8",
        ] {
            assert_eq!(Visitor::of(false, agent, false), Visitor::Person, "{agent}");
            assert_eq!(Visitor::of(true, agent, false), Visitor::Program);
            assert_eq!(Visitor::of(false, agent, true), Visitor::Program);
        }
    }

    #[test]
    fn anything_else_is_a_program() {
        for agent in [
            "",
            "curl/8.5.0",
            "okhttp/4.12.0",
            "Shop/3.1 CFNetwork/1490.0.4",
            "python-requests/2.32",
        ] {
            assert_eq!(
                Visitor::of(false, agent, false),
                Visitor::Program,
                "{agent}"
            );
        }
    }
}
