//! Goods that one store sends to another, from the question where they could come from to
//! the closed books, asked for by shoppers and by staff.

mod access;
mod asking;
mod life;
pub(crate) mod scene;
mod trouble;

pub use access::*;
pub use asking::*;
pub use life::*;
pub use trouble::*;
