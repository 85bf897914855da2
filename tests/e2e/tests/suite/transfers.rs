//! Goods that one store sends to another, from the question where they could come from to
//! the closed books, asked for by shoppers and by staff.

mod access;
mod asking;
mod late;
mod life;
mod limits;
pub(crate) mod scene;
mod trouble;

pub use access::*;
pub use asking::*;
pub use late::*;
pub use life::*;
pub use limits::*;
pub use trouble::*;
