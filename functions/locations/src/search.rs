//! `POST /locations/search`: candidates in order, a few at a time, until the page is full.

use std::rc::Rc;

use aisle_domain::brand::Brand;
use aisle_domain::location::Location;
use aisle_domain::places::{Nearest, Place};
use aisle_http::{Call, Error, Reply};
use aisle_store::model::{Model, Read};
use aisle_store::now_ms;
use aisle_ucp::envelope::Ucp;
use aisle_ucp::location::view::{Answer, LocationView};
use aisle_ucp::location::{Demand, SearchRequest};
use aisle_ucp::page::{Invalid, Pagination};

use crate::invalid;
use crate::items::Items;

/// Places that are judged together: the next time twice as many, so that rare ones are
/// found in few rounds.
const FIRST_LOOK: usize = 64;

pub async fn answer(call: &Call) -> Result<Reply, Error> {
    let request: SearchRequest = call.json().await?;
    request.check().map_err(invalid)?;
    let size = request.pagination.size().map_err(invalid)?;
    let brand = call.brand().await?;
    let demand = request.criteria().demand(&brand).map_err(invalid)?;
    let search = request.id(&brand.id);
    let after: Option<String> = request.pagination.after(search).map_err(invalid)?;
    let model = call.model();
    let is_first = after.is_none();
    let after = match after {
        Some(id) => Some(last_of_page(model, &brand, &id).await?),
        None => None,
    };
    let candidates = Candidates::of(model, &brand, &request, &demand).await?;
    let judge = Judge::of(model, &brand, &request, &demand).await?;
    let mut found = Found::default();
    let mut position = after.as_ref().map(|last| Position::of(last, &demand));
    let mut look = FIRST_LOOK.max(size + 1);
    while found.locations.len() <= size && !found.all {
        let (places, more) = candidates.next(position.as_ref(), look).await?;
        position = places.last().map(|last| Position::at(last, &demand));
        found.all = !more;
        found.locations.extend(judge.those_that_fit(places).await?);
        look *= 2;
    }
    let total = match (&candidates, judge.accepts_all()) {
        (Candidates::Listed { places, .. }, true) => Some(places.len()),
        _ => (is_first && found.all).then_some(found.locations.len()),
    };
    let more = found.locations.len() > size;
    found.locations.truncate(size);
    let locations = judge.documents(found.locations).await?;
    let next = locations.last().filter(|_| more).map(|last| &last.id);
    let view = |location: &Rc<Read<Location>>| {
        let distance_m = demand.distance_m(location.geo);
        LocationView::new(location, distance_m, Vec::new(), now_ms())
    };
    Reply::json(
        200,
        &Answer {
            ucp: Ucp::success(&["dev.ucp.common.location.search"]),
            locations: locations.iter().map(view).collect(),
            pagination: Some(Pagination::new(
                search,
                next,
                total.map(|total| total as i64),
            )),
            messages: Vec::new(),
        },
    )
}

async fn last_of_page(
    model: Model<'_>,
    brand: &Brand,
    id: &str,
) -> Result<Rc<Read<Location>>, Error> {
    let gone = || {
        invalid(Invalid::new(
            "invalid_cursor",
            "$.pagination.cursor",
            "the location is gone",
        ))
    };
    // A cursor that somebody made up must not reach a database that knows no such text.
    if !aisle_domain::id::is_id(id) {
        return Err(gone());
    }
    model.location(&brand.id, id).await?.ok_or_else(gone)
}

/// Where a page, or a look, ended.
struct Position {
    distance_m: f64,
    name: String,
    id: String,
}

impl Position {
    fn of(last: &Location, demand: &Demand<'_>) -> Self {
        Self {
            distance_m: demand.distance_m(last.geo).unwrap_or_default(),
            name: last.name.clone(),
            id: last.id.clone(),
        }
    }

    fn at(last: &Place, demand: &Demand<'_>) -> Self {
        Self {
            distance_m: demand.distance_m(last.geo).unwrap_or_default(),
            name: last.name.clone(),
            id: last.id.clone(),
        }
    }
}

#[derive(Default)]
struct Found {
    locations: Vec<Place>,
    /// There are no further candidates.
    all: bool,
}

/// The places that meet what can be told without documents and stock: nearest first where
/// there is a centre, else by name; no two are equal.
enum Candidates<'a> {
    /// In the cells around the centre.
    Around {
        model: Model<'a>,
        brand_id: &'a str,
        demand: &'a Demand<'a>,
    },
    Listed {
        places: Vec<Place>,
        demand: &'a Demand<'a>,
    },
}

impl<'a> Candidates<'a> {
    async fn of(
        model: Model<'a>,
        brand: &'a Brand,
        request: &SearchRequest,
        demand: &'a Demand<'a>,
    ) -> Result<Self, Error> {
        let says_words = request
            .query
            .as_ref()
            .is_some_and(|query| !query.is_empty());
        if demand.around().is_some() && !says_words {
            return Ok(Self::Around {
                model,
                brand_id: &brand.id,
                demand,
            });
        }
        let directory = model.directory(&brand.id).await?;
        let words = request.telling_words(&directory);
        let fits = |words: &[String], place: &Place| {
            words.iter().all(|word| place.is_called(word)) && demand.admits_place(place)
        };
        let places = words.map_or_else(Vec::new, |words| {
            let all = directory.iter();
            all.filter(|place| fits(&words, place)).cloned().collect()
        });
        let mut listed: Vec<Place> = places;
        // By name already; the sort is stable.
        listed.sort_by(|a, b| distance(demand, a).total_cmp(&distance(demand, b)));
        Ok(Self::Listed {
            places: listed,
            demand,
        })
    }

    /// The next `most` of them, and whether there are more.
    async fn next(
        &self,
        after: Option<&Position>,
        most: usize,
    ) -> Result<(Vec<Place>, bool), Error> {
        match self {
            Self::Around {
                model,
                brand_id,
                demand,
            } => {
                let Some((center, max_m)) = demand.around() else {
                    return Ok((Vec::new(), false));
                };
                let after = after.map(|last| (last.distance_m, last.id.clone()));
                let nearest = Nearest::new(most, after).within(max_m);
                let fits = |place: &Place| demand.admits_place(place);
                let found = model
                    .nearest_places(brand_id, center, nearest, fits)
                    .await?;
                Ok((found.0.into_iter().map(|near| near.what).collect(), found.1))
            }
            Self::Listed { places, demand } => {
                let is_before = |place: &Place| {
                    after.is_some_and(|last| {
                        let far = distance(demand, place).total_cmp(&last.distance_m);
                        let name = (&place.name, &place.id).cmp(&(&last.name, &last.id));
                        far.then(name).is_le()
                    })
                };
                let start = places.partition_point(is_before);
                let rest = places.get(start..).unwrap_or_default();
                Ok((rest.iter().take(most).cloned().collect(), rest.len() > most))
            }
        }
    }
}

fn distance(demand: &Demand<'_>, place: &Place) -> f64 {
    demand.distance_m(place.geo).unwrap_or_default()
}

/// Judges what takes documents or stock.
struct Judge<'a> {
    model: Model<'a>,
    brand_id: &'a str,
    demand: &'a Demand<'a>,
    items: Option<Items<'a>>,
}

impl<'a> Judge<'a> {
    async fn of(
        model: Model<'a>,
        brand: &'a Brand,
        request: &SearchRequest,
        demand: &'a Demand<'a>,
    ) -> Result<Self, Error> {
        let items = request.criteria().items();
        let items = match items.is_empty() {
            true => None,
            false => Some(Items::read(model, &brand.id, items).await?),
        };
        Ok(Self {
            model,
            brand_id: &brand.id,
            demand,
            items,
        })
    }

    fn accepts_all(&self) -> bool {
        self.items.is_none() && !self.demand.needs_documents()
    }

    async fn those_that_fit(&self, mut places: Vec<Place>) -> Result<Vec<Place>, Error> {
        if let Some(items) = &self.items {
            let there = items.are_at(&places.iter().collect::<Vec<_>>()).await?;
            let mut there = there.into_iter();
            places.retain(|_| there.next().unwrap_or_default());
        }
        if self.demand.needs_documents() {
            let documents = self.named(&places).await?;
            let fits = |document: &Option<Rc<Read<Location>>>| {
                let location = document.as_ref();
                location.is_some_and(|location| self.demand.admits(location))
            };
            let mut fit = documents.iter().map(fits);
            places.retain(|_| fit.next().unwrap_or_default());
        }
        Ok(places)
    }

    async fn documents(&self, places: Vec<Place>) -> Result<Vec<Rc<Read<Location>>>, Error> {
        Ok(self.named(&places).await?.into_iter().flatten().collect())
    }

    async fn named(&self, places: &[Place]) -> Result<Vec<Option<Rc<Read<Location>>>>, Error> {
        let ids: Vec<&str> = places.iter().map(|place| place.id.as_str()).collect();
        Ok(self.model.locations_named(self.brand_id, &ids).await?)
    }
}
