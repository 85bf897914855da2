//! `POST /pos/scan`: what a scanner read, and what can be done with it here and now.

use aisle_domain::barcode::{self, Measure, Reading, Rules};
use aisle_domain::brand::Brand;
use aisle_domain::money;
use aisle_http::auth::{self, Staff};
use aisle_http::{Call, Error, Reply};
use aisle_store::model::{Level, Ref};
use aisle_store::values;
use aisle_ucp::pos::{Action, Scanned, ScannedDocument, ScannedItem, ScannedText};

use crate::collection::{self, By, Facts, Found};
use crate::{customer, store};

pub async fn scan(call: &Call) -> Result<Reply, Error> {
    let brand = call.brand().await?;
    let staff = auth::staff(call, &brand.id, "pos").await?;
    let request: ScannedText = call.json().await?;
    if request.text.len() > barcode::MAX_TEXT_BYTES {
        return Err(Error::unprocessable(
            "too_long",
            "$.text",
            "longer than 1000 bytes",
        ));
    }
    let scan = Scan {
        call,
        brand: &brand,
        staff: &staff,
    };
    let rules = Rules {
        measures: &brand.policies.scanning.measures,
        currency_decimals: money::exponent(&brand.currency),
    };
    for reading in barcode::readings(&request.text, &rules) {
        if let Some(scanned) = scan.resolve(&reading).await? {
            return Reply::json(200, &scanned);
        }
    }
    let detail = "nothing of this brand is called that";
    Err(Error::not_found("unknown_code", detail).at("$.text"))
}

/// What a symbol says of the one piece that it is on.
#[derive(Default)]
struct Mark {
    serial: Option<String>,
    measure: Option<Measure>,
}

struct Scan<'a> {
    call: &'a Call,
    brand: &'a Brand,
    staff: &'a Staff,
}

impl Scan<'_> {
    /// What the reading names, if anything.
    async fn resolve(&self, reading: &Reading) -> Result<Option<Scanned>, Error> {
        match reading {
            Reading::Pass(token) => {
                let claims = collection::genuine(self.brand, token).await?;
                self.order(By::Pass(&claims)).await
            }
            Reading::PassCode(code) => {
                collection::count_code(self.call, self.brand, &self.staff.device_id).await?;
                self.order(By::Code(code)).await
            }
            Reading::OrderNumber(number) => self.order(By::Number(number)).await,
            Reading::OrderId(id) => self.order(By::Id(id)).await,
            Reading::Item { gtin, serial } => {
                let mark = Mark {
                    serial: serial.clone(),
                    measure: None,
                };
                self.item(vec![Ref::Gtin(gtin.as_str().into())], mark).await
            }
            Reading::Measured {
                gtin,
                item,
                measure,
            } => {
                let names = vec![Ref::Gtin(gtin.as_str().into()), Ref::Sku(item.clone())];
                let mark = Mark {
                    serial: None,
                    measure: Some(*measure),
                };
                self.item(names, mark).await
            }
            Reading::Sku(sku) => {
                self.item(vec![Ref::Sku(sku.clone())], Mark::default())
                    .await
            }
            Reading::TransferNumber(number) => self.transfer(number).await,
            Reading::HoldNumber(number) => self.hold(number).await,
            Reading::CartId(id) => self.cart(id).await,
            Reading::CheckoutId(id) => self.checkout(id).await,
            Reading::CustomerCode(code) => {
                customer::scanned(self.call, self.brand, self.staff, code).await
            }
        }
    }

    async fn order(&self, by: By<'_>) -> Result<Option<Scanned>, Error> {
        let with_pass = matches!(by, By::Pass(_) | By::Code(_));
        let facts = Facts::read(self.call, self.brand, by, None).await?;
        let Some(found) = facts.found else {
            return Ok(None);
        };
        let zone = store::time_zone(self.call, &self.brand.id, &self.staff.location_id).await?;
        let id = found.order.id.clone();
        let mut actions = vec![self.hand_over(&found, with_pass, facts.now_ms)];
        if !found.paid {
            let path = format!("/pos/layaways/{id}/payments");
            actions.push(Action::post("pay_instalment", path, None));
        }
        Ok(Some(Scanned {
            order: Some(found.view(&zone)),
            ..Scanned::new("order", &id, actions)
        }))
    }

    fn hand_over(&self, found: &Found, with_pass: bool, now_ms: i64) -> Action {
        let hindrance = found.hindrance(&self.staff.location_id, now_ms, false);
        let no_pass = !with_pass && !self.staff.may("approve");
        let reason = match &hindrance {
            Some(hindrance) => Some(hindrance.code()),
            None if with_pass && found.pass.is_none() => Some("unknown_pass"),
            // The number of an order is on papers that others see.
            None if no_pass => Some("pass_needed"),
            None => None,
        };
        let path = format!("/pos/orders/{}/hand-over", found.order.id);
        Action::post("hand_over", path, reason)
    }

    /// The article that the first of `names` is, where one of them is any.
    async fn item(&self, names: Vec<Ref>, mark: Mark) -> Result<Option<Scanned>, Error> {
        let model = self.call.model();
        let targets = model.resolve_any(&self.brand.id, &[names]).await?;
        let Some(target) = targets.into_iter().next().flatten() else {
            return Ok(None);
        };
        let product = model.product(&self.brand.id, &target.product_id).await?;
        let variant = product.as_ref().and_then(|doc| {
            let mut variants = doc.product.variants.iter();
            variants.find(|variant| Some(&variant.id) == target.variant_id.as_ref())
        });
        let (Some(product), Some(variant)) = (&product, variant) else {
            return Ok(None);
        };
        let skus = [variant.sku.clone()];
        let stock = model.stock(&self.brand.id, &skus).await?;
        let everywhere = stock
            .iter()
            .flatten()
            .map(|stock| stock.everywhere)
            .sum::<i64>();
        let store = store::location(self.call, &self.brand.id, &self.staff.location_id).await?;
        let levels = model.levels_at(&self.brand.id, &skus, &store).await?;
        let level = levels.into_iter().next();
        let (promised, here) = level.map_or((0, 0), |Level(_, units, here)| (units, here));
        let reason = match here {
            _ if !variant.active => Some("item_unavailable"),
            0 => Some("out_of_stock"),
            _ => None,
        };
        let actions = vec![Action::post("sell", "/pos/sales".into(), reason)];
        Ok(Some(Scanned {
            item: Some(ScannedItem {
                sku: variant.sku.clone(),
                gtin: variant.gtin.clone(),
                title: match variant.option_values[..] {
                    [] => product.product.title.clone(),
                    _ => format!("{} – {}", product.product.title, variant.title),
                },
                price_minor: variant.price_minor,
                currency: self.brand.currency.clone(),
                available_here: here,
                available_elsewhere: (everywhere - promised).max(0),
                serial: mark.serial,
                measure: mark.measure,
            }),
            ..Scanned::new("item", &variant.id, actions)
        }))
    }

    async fn transfer(&self, number: &str) -> Result<Option<Scanned>, Error> {
        let row = self
            .call
            .db()
            .query_one_opt(
                "SELECT id, status, from_location_id, to_location_id FROM transfer WHERE brand_id = ?1 AND number = ?2",
                values![&self.brand.id, number],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        let (id, status) = (row.text("id")?, row.text("status")?);
        let (from, to) = (row.text("from_location_id")?, row.text("to_location_id")?);
        let step = |name: &str, place: &str, when: &[&str]| {
            let reason = if place != self.staff.location_id {
                Some("wrong_store")
            } else if !when.contains(&status.as_str()) {
                Some("wrong_status")
            } else if !self.staff.may("transfer") {
                Some("scope_missing")
            } else {
                None
            };
            Action::post(name, format!("/transfers/{id}/{name}"), reason)
        };
        let actions = vec![
            step("pick", &from, &["approved"]),
            step("ship", &from, &["approved", "picking"]),
            step("receive", &to, &["in_transit", "received"]),
        ];
        Ok(Some(Scanned {
            transfer: Some(ScannedDocument {
                number: number.into(),
                status: status.clone(),
                location_id: from.clone(),
                to_location_id: Some(to.clone()),
            }),
            ..Scanned::new("transfer", &id, actions)
        }))
    }

    async fn hold(&self, number: &str) -> Result<Option<Scanned>, Error> {
        let row = self
            .call
            .db()
            .query_one_opt(
                "SELECT id, location_id, CASE WHEN status IN ('requested', 'pulled') AND expires_at_ms <= {now} \
                 THEN 'expired' ELSE status END AS status FROM hold WHERE brand_id = ?1 AND number = ?2",
                values![&self.brand.id, number],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        let (id, status) = (row.text("id")?, row.text("status")?);
        let location_id = row.text("location_id")?;
        let reason = match status.as_str() {
            _ if location_id != self.staff.location_id => Some("wrong_store"),
            "requested" | "pulled" => None,
            _ => Some("wrong_status"),
        };
        let actions = vec![
            Action::post("convert", "/pos/sales".into(), reason),
            Action::post(
                "release",
                format!("/holds/{id}/cancel"),
                reason.or((!self.staff.may("stock")).then_some("scope_missing")),
            ),
        ];
        Ok(Some(Scanned {
            hold: Some(ScannedDocument {
                number: number.into(),
                status,
                location_id,
                to_location_id: None,
            }),
            ..Scanned::new("hold", &id, actions)
        }))
    }

    async fn cart(&self, id: &str) -> Result<Option<Scanned>, Error> {
        let row = self
            .call
            .db()
            .query_one_opt(
                "SELECT CASE WHEN status = 'active' AND expires_at_ms <= {now} THEN 'expired' ELSE status END AS status \
                 FROM cart WHERE brand_id = ?1 AND id = ?2",
                values![&self.brand.id, id],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        let status = row.text("status")?;
        let reason = (status != "active").then_some(status.as_str());
        let path = format!("/pos/carts/{id}/continue");
        let actions = vec![Action::post("continue", path, reason)];
        Ok(Some(Scanned::new("cart", id, actions)))
    }

    /// What is continued is the cart that the checkout came from.
    async fn checkout(&self, id: &str) -> Result<Option<Scanned>, Error> {
        let row = self
            .call
            .db()
            .query_one_opt(
                "SELECT s.cart_id, o.id AS order_id FROM checkout_session s \
                 LEFT JOIN customer_order o ON o.brand_id = ?1 AND o.checkout_session_id = s.id AND o.status = 'confirmed' \
                 WHERE s.brand_id = ?1 AND s.id = ?2",
                values![&self.brand.id, id],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        if let Some(order_id) = row.text_opt("order_id")? {
            return self.order(By::Id(&order_id)).await;
        }
        if let Some(cart_id) = row.text_opt("cart_id")? {
            return self.cart(&cart_id).await;
        }
        let path = format!("/pos/carts/{id}/continue");
        let actions = vec![Action::post("continue", path, Some("no_cart"))];
        Ok(Some(Scanned::new("checkout", id, actions)))
    }
}
