//! The places on a page: nearest first, or those that have most.

use std::collections::HashMap;

use aisle_domain::geo::Degrees;
use aisle_domain::places::{Near, Nearest, Place};
use aisle_http::{Error, page};
use aisle_store::model::{Model, Most, Read, Summary};
use aisle_ucp::page::{Invalid, Pagination};
use aisle_ucp::stock::{Position, StockAt};

/// What is asked about the stock of an article.
pub struct Asked<'a> {
    pub model: Model<'a>,
    pub brand_id: &'a str,
    pub stock: &'a Read<Summary>,
    /// Places on the page.
    pub size: usize,
    /// Where the page before ended.
    pub after: Option<Position>,
}

type Page = (Vec<StockAt>, Pagination);

impl Asked<'_> {
    /// Those around a point, looked for in its cell and then in the next ones.
    pub async fn nearest(self, near: Degrees, search: u64) -> Result<Page, Error> {
        let after = self.after.as_ref().map(|position| {
            let distance_m = f64::from_bits(position.number);
            (distance_m, position.location_id.clone())
        });
        let nearest = Nearest::new(self.size, after);
        let (brand_id, stock) = (self.brand_id, self.stock);
        let visible = |place: &Place| place.visible;
        let found = self
            .model
            .nearest_with(brand_id, stock, near, nearest, visible);
        let (found, more) = found.await?;
        let next = found.last().filter(|_| more).map(|last| Position {
            number: last.distance_m.to_bits(),
            location_id: last.id.clone(),
        });
        let shown = |near: &Near<(Place, i64)>| {
            StockAt::new(&near.what.0, near.what.1, Some(near.distance_m))
        };
        Ok((
            found.iter().map(shown).collect(),
            Pagination::new(search, next, Some(self.stock.places)),
        ))
    }

    /// Those with most units; equal ones in order of their ids.
    pub async fn most(self, search: u64) -> Result<Page, Error> {
        let wanted = self.size + 1;
        let mut found: Vec<Most> = match &self.after {
            None => self.model.most(self.brand_id, self.stock, wanted).await?,
            Some(position) => {
                let after = (units(position)?, position.location_id.as_str());
                let sku = &self.stock.sku;
                let rows = self
                    .model
                    .most_after(self.brand_id, sku, wanted, Some(after));
                rows.await?.1
            }
        };
        let more = found.len() > self.size;
        found.truncate(self.size);
        let next = found.last().filter(|_| more).map(|last| Position {
            number: last.units.unsigned_abs(),
            location_id: last.location_id.clone(),
        });
        let mut cells: Vec<String> = found.iter().map(|most| most.cell.clone()).collect();
        cells.sort_unstable();
        cells.dedup();
        let places = self.model.places_in(self.brand_id, &cells).await?;
        let places: HashMap<&str, &Place> = places
            .iter()
            .flat_map(|places| places.iter())
            .map(|place| (place.id.as_str(), place))
            .collect();
        let shown = found.iter().filter_map(|most| {
            let place = places.get(most.location_id.as_str())?;
            Some(StockAt::new(place, most.units, None))
        });
        Ok((
            shown.collect(),
            Pagination::new(search, next, Some(self.stock.places)),
        ))
    }
}

/// The units at which a page ended, from a cursor that somebody may have made up.
fn units(position: &Position) -> Result<i64, Error> {
    let detail = "not a cursor of this service";
    let wrong = || page::refused(Invalid::new("invalid_cursor", "cursor", detail));
    let text = !position.location_id.contains('\0');
    let units = i64::try_from(position.number).ok().filter(|_| text);
    units.ok_or_else(wrong)
}
