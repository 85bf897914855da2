//! What is near: places that have an article, or that do something, without reading all.

use std::collections::HashMap;

use aisle_domain::geo::{Degrees, geodesic_m};
use aisle_domain::location::Location;
use aisle_domain::places::{Extent, Near, Nearest, Place, Walk};
use futures::future::try_join;

use super::{CellSum, Level, Model, Read, Summary};
use crate::StoreError;

impl Model<'_> {
    /// The page of places around a point, of those that have some of an article and that
    /// `fits` accepts, with their units; and whether there are more.
    pub async fn nearest_with(
        &self,
        brand_id: &str,
        stock: &Read<Summary>,
        from: Degrees,
        mut nearest: Nearest<(Place, i64)>,
        fits: impl Fn(&Place) -> bool,
    ) -> Result<(Vec<Near<(Place, i64)>>, bool), StoreError> {
        let (sums, cells) = (stock.cells()?, self.cells(brand_id).await?);
        let extents: HashMap<&str, &Extent> = cells
            .iter()
            .map(|cell| (cell.cell.as_str(), &cell.extent))
            .collect();
        let known = |CellSum(cell, _, places, _): CellSum| {
            let extent = extents.get(cell.as_str())?;
            Some((cell, *extent, places))
        };
        let known: Vec<(String, &Extent, i64)> = sums.into_iter().filter_map(known).collect();
        let counted = known.iter().map(|(_, extent, places)| (*extent, *places));
        let mut walk = Walk::new(from, counted);
        loop {
            let next = nearest.look(&mut walk).into_iter();
            let names = next.filter_map(|index| Some(known.get(index)?.0.clone()));
            let names: Vec<String> = names.collect();
            if names.is_empty() {
                return Ok(nearest.page());
            }
            for (place, units) in self.stock_in(brand_id, &stock.sku, &names).await? {
                if fits(&place) {
                    let (distance_m, id) = (geodesic_m(from, place.geo), place.id.clone());
                    nearest.add(distance_m, &id, (place, units));
                }
            }
        }
    }

    /// The page of visible places around a point that `fits` accepts; and whether there are more.
    pub async fn nearest_places(
        &self,
        brand_id: &str,
        from: Degrees,
        mut nearest: Nearest<Place>,
        fits: impl Fn(&Place) -> bool,
    ) -> Result<(Vec<Near<Place>>, bool), StoreError> {
        let cells = self.cells(brand_id).await?;
        let counted = cells.iter().map(|cell| (&cell.extent, cell.visible));
        let mut walk = Walk::new(from, counted);
        loop {
            let next = nearest.look(&mut walk).into_iter();
            let names = next.filter_map(|index| Some(cells.get(index)?.cell.clone()));
            let names: Vec<String> = names.collect();
            if names.is_empty() {
                return Ok(nearest.page());
            }
            for places in self.places_in(brand_id, &names).await? {
                for place in places.iter().filter(|place| place.visible && fits(place)) {
                    nearest.add(geodesic_m(from, place.geo), &place.id, place.clone());
                }
            }
        }
    }

    /// What one location has of each article.
    pub async fn levels_at(
        &self,
        brand_id: &str,
        skus: &[String],
        location: &Location,
    ) -> Result<Vec<Level>, StoreError> {
        let none = Level(location.id.clone(), 0, 0);
        let Some(cell) = self.cell_of(brand_id, location).await? else {
            return Ok(vec![none; skus.len()]);
        };
        let wanted = skus.iter().map(|sku| (sku.clone(), cell.clone()));
        let levels = self.levels(brand_id, &wanted.collect::<Vec<_>>()).await?;
        let here = |levels: &[Level]| {
            let level = levels.iter().find(|Level(id, ..)| *id == location.id);
            level.unwrap_or(&none).clone()
        };
        Ok(levels.iter().map(|levels| here(levels)).collect())
    }

    /// The cell of the index that has the location.
    pub async fn cell_of(
        &self,
        brand_id: &str,
        location: &Location,
    ) -> Result<Option<String>, StoreError> {
        let cells = self.cells(brand_id).await?;
        let around = cells
            .iter()
            .filter(|cell| cell.extent.at_least_m(location.geo) <= 0.0)
            .map(|cell| cell.cell.clone());
        let around: Vec<String> = around.collect();
        let places = self.places_in(brand_id, &around).await?;
        let has = |places: &[Place]| places.iter().any(|place| place.id == location.id);
        let mut found = around.into_iter().zip(places);
        Ok(found.find(|(_, places)| has(places)).map(|(cell, _)| cell))
    }

    /// The places in the cells that have some of an article, with their units.
    async fn stock_in(
        &self,
        brand_id: &str,
        sku: &str,
        cells: &[String],
    ) -> Result<Vec<(Place, i64)>, StoreError> {
        let wanted = cells.iter().map(|cell| (sku.to_owned(), cell.clone()));
        let wanted: Vec<(String, String)> = wanted.collect();
        let places = self.places_in(brand_id, cells);
        let (places, levels) = try_join(places, self.levels(brand_id, &wanted)).await?;
        let mut found = Vec::new();
        for (places, levels) in places.iter().zip(&levels) {
            let units: HashMap<&str, i64> = levels
                .iter()
                .filter(|Level(_, units, _)| *units > 0)
                .map(|Level(id, units, _)| (id.as_str(), *units))
                .collect();
            found.extend(places.iter().filter_map(|place| {
                let units = units.get(place.id.as_str())?;
                Some((place.clone(), *units))
            }));
        }
        Ok(found)
    }
}
