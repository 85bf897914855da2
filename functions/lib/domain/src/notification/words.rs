//! The words of every template, in every language, for brands that have none of their own.

/// A template: which values it may use, and its words in English, Spanish and German.
pub(super) struct Template {
    pub(super) name: &'static str,
    pub(super) values: &'static [&'static str],
    pub(super) words: [Words; 3],
}

/// In the order of [`LANGUAGES`].
pub(super) struct Words {
    /// Of a mail.
    pub(super) subject: &'static str,
    pub(super) text: &'static str,
}

pub(super) const LANGUAGES: [&str; 3] = ["en", "es", "de"];

const fn words(subject: &'static str, text: &'static str) -> Words {
    Words { subject, text }
}

const ORDER: &[&str] = &["brand", "number", "store", "when", "until", "link"];

pub(super) const TEMPLATES: [Template; 15] = [
    Template {
        name: "code",
        values: &["brand", "code"],
        words: [
            words(
                "Your {brand} code: {code}",
                "{brand}: your code is {code}. We never ask for it; tell nobody.",
            ),
            words(
                "Tu código de {brand}: {code}",
                "{brand}: tu código es {code}. Nunca te lo pediremos; no lo compartas.",
            ),
            words(
                "Dein Code von {brand}: {code}",
                "{brand}: Dein Code ist {code}. Wir fragen nie danach; gib ihn nicht weiter.",
            ),
        ],
    },
    Template {
        name: "invite_order",
        values: &["brand", "link"],
        words: [
            words(
                "Your order at {brand}",
                "{brand}: your order and all its news are here: {link}[ STOP ends texts, HELP helps.]",
            ),
            words(
                "Tu pedido en {brand}",
                "{brand}: tu pedido y sus novedades: {link}[ STOP para no recibir más, HELP para ayuda.]",
            ),
            words(
                "Deine Bestellung bei {brand}",
                "{brand}: Deine Bestellung und alles Neue dazu: {link}[ STOP beendet, HELP hilft.]",
            ),
        ],
    },
    Template {
        name: "invite_cart",
        values: &["brand", "link"],
        words: [
            words(
                "Your cart at {brand}",
                "{brand}: go on with your cart here: {link}[ STOP ends texts, HELP helps.]",
            ),
            words(
                "Tu cesta en {brand}",
                "{brand}: sigue con tu cesta aquí: {link}[ STOP para no recibir más, HELP para ayuda.]",
            ),
            words(
                "Dein Warenkorb bei {brand}",
                "{brand}: Hier geht es mit Deinem Warenkorb weiter: {link}[ STOP beendet, HELP hilft.]",
            ),
        ],
    },
    Template {
        name: "invite_account",
        values: &["brand", "link"],
        words: [
            words(
                "Your account at {brand}",
                "{brand}: open your account on this device: {link}[ STOP ends texts, HELP helps.]",
            ),
            words(
                "Tu cuenta en {brand}",
                "{brand}: abre tu cuenta en este dispositivo: {link}[ STOP para no recibir más, HELP para ayuda.]",
            ),
            words(
                "Dein Konto bei {brand}",
                "{brand}: Öffne Dein Konto auf diesem Gerät: {link}[ STOP beendet, HELP hilft.]",
            ),
        ],
    },
    Template {
        name: "order_confirmed",
        values: ORDER,
        words: [
            words(
                "{brand}: order {number}",
                "{brand}: thank you! Your order {number} is confirmed.[ Collect it at {store} from {when}.][ {link}]",
            ),
            words(
                "{brand}: pedido {number}",
                "{brand}: ¡gracias! Tu pedido {number} está confirmado.[ Recógelo en {store} desde el {when}.][ {link}]",
            ),
            words(
                "{brand}: Bestellung {number}",
                "{brand}: Danke! Deine Bestellung {number} ist bestätigt.[ Abholbereit bei {store} ab {when}.][ {link}]",
            ),
        ],
    },
    Template {
        name: "order_earlier",
        values: ORDER,
        words: [
            words(
                "{brand}: your order comes earlier",
                "{brand}: good news! Order {number} is ready earlier: {when}[ at {store}].[ {link}]",
            ),
            words(
                "{brand}: tu pedido llega antes",
                "{brand}: ¡buenas noticias! El pedido {number} estará antes: {when}[ en {store}].[ {link}]",
            ),
            words(
                "{brand}: Deine Bestellung kommt früher",
                "{brand}: Gute Nachricht! Bestellung {number} ist früher da: {when}[ bei {store}].[ {link}]",
            ),
        ],
    },
    Template {
        name: "order_later",
        values: ORDER,
        words: [
            words(
                "{brand}: your order comes later",
                "{brand}: sorry, order {number} takes longer. It is ready {when}[ at {store}].[ {link}]",
            ),
            words(
                "{brand}: tu pedido se retrasa",
                "{brand}: lo sentimos, el pedido {number} se retrasa. Estará el {when}[ en {store}].[ {link}]",
            ),
            words(
                "{brand}: Deine Bestellung kommt später",
                "{brand}: Leider dauert Bestellung {number} länger. Sie ist bereit: {when}[ bei {store}].[ {link}]",
            ),
        ],
    },
    Template {
        name: "order_ready",
        values: ORDER,
        words: [
            words(
                "{brand}: your order is ready",
                "{brand}: order {number} is ready for you[ at {store}].[ We keep it until {until}.][ {link}]",
            ),
            words(
                "{brand}: tu pedido está listo",
                "{brand}: el pedido {number} está listo[ en {store}].[ Lo guardamos hasta el {until}.][ {link}]",
            ),
            words(
                "{brand}: Deine Bestellung ist bereit",
                "{brand}: Bestellung {number} liegt bereit[ bei {store}].[ Wir bewahren sie auf bis {until}.][ {link}]",
            ),
        ],
    },
    Template {
        name: "order_picked_up",
        values: ORDER,
        words: [
            words(
                "{brand}: picked up",
                "{brand}: order {number} was handed over[ at {store}]. Enjoy it![ Was it not you? {link}]",
            ),
            words(
                "{brand}: recogido",
                "{brand}: el pedido {number} se entregó[ en {store}]. ¡Que lo disfrutes![ ¿No has sido tú? {link}]",
            ),
            words(
                "{brand}: abgeholt",
                "{brand}: Bestellung {number} wurde übergeben[ bei {store}]. Viel Freude damit![ Warst Du das nicht? {link}]",
            ),
        ],
    },
    Template {
        name: "order_partly_picked_up",
        values: ORDER,
        words: [
            words(
                "{brand}: a part was picked up",
                "{brand}: a part of order {number} was handed over[ at {store}]. We tell you about the rest.[ {link}]",
            ),
            words(
                "{brand}: recogido en parte",
                "{brand}: una parte del pedido {number} se entregó[ en {store}]. Te avisaremos del resto.[ {link}]",
            ),
            words(
                "{brand}: ein Teil wurde abgeholt",
                "{brand}: Ein Teil der Bestellung {number} wurde übergeben[ bei {store}]. Zum Rest melden wir uns.[ {link}]",
            ),
        ],
    },
    Template {
        name: "order_cancelled",
        values: ORDER,
        words: [
            words(
                "{brand}: order cancelled",
                "{brand}: order {number} was cancelled.[ {link}]",
            ),
            words(
                "{brand}: pedido cancelado",
                "{brand}: el pedido {number} se ha cancelado.[ {link}]",
            ),
            words(
                "{brand}: Bestellung storniert",
                "{brand}: Bestellung {number} wurde storniert.[ {link}]",
            ),
        ],
    },
    Template {
        name: "order_delayed",
        values: ORDER,
        words: [
            words(
                "{brand}: about your order",
                "{brand}: something we had ordered for {number} does not come as planned. We look after it.[ {link}]",
            ),
            words(
                "{brand}: sobre tu pedido",
                "{brand}: algo del pedido {number} no llega como estaba previsto. Nos ocupamos de ello.[ {link}]",
            ),
            words(
                "{brand}: zu Deiner Bestellung",
                "{brand}: Etwas für Bestellung {number} kommt nicht wie geplant. Wir kümmern uns darum.[ {link}]",
            ),
        ],
    },
    Template {
        name: "order_reminder",
        values: ORDER,
        words: [
            words(
                "{brand}: your order waits",
                "{brand}: order {number} waits for you[ at {store}].[ We keep it until {until}.][ {link}]",
            ),
            words(
                "{brand}: tu pedido te espera",
                "{brand}: el pedido {number} te espera[ en {store}].[ Lo guardamos hasta el {until}.][ {link}]",
            ),
            words(
                "{brand}: Deine Bestellung wartet",
                "{brand}: Bestellung {number} wartet auf Dich[ bei {store}].[ Wir bewahren sie auf bis {until}.][ {link}]",
            ),
        ],
    },
    Template {
        name: "order_payment_due",
        values: ORDER,
        words: [
            words(
                "{brand}: a payment is due soon",
                "{brand}: the next payment for order {number} is due soon.[ {link}]",
            ),
            words(
                "{brand}: un pago vence pronto",
                "{brand}: el próximo pago del pedido {number} vence pronto.[ {link}]",
            ),
            words(
                "{brand}: Eine Zahlung wird fällig",
                "{brand}: Die nächste Zahlung für Bestellung {number} wird bald fällig.[ {link}]",
            ),
        ],
    },
    Template {
        name: "order_refunded",
        values: ORDER,
        words: [
            words(
                "{brand}: refund",
                "{brand}: we have refunded order {number}. It shows on your account within days.[ {link}]",
            ),
            words(
                "{brand}: reembolso",
                "{brand}: hemos reembolsado el pedido {number}. Lo verás en tu cuenta en unos días.[ {link}]",
            ),
            words(
                "{brand}: Erstattung",
                "{brand}: Wir haben Bestellung {number} erstattet. Du siehst es in einigen Tagen auf Deinem Konto.[ {link}]",
            ),
        ],
    },
];
