//! The tables, as Diesel knows them, a file for each area. The SQL is in `migrations/`.

mod of_access;
mod of_catalog;
mod of_customers;
mod of_inventory;
mod of_masters;
mod of_orders;
mod of_pictures;
mod of_prices;
mod of_runs;
mod of_signals;

pub use of_access::*;
pub use of_catalog::*;
pub use of_customers::*;
pub use of_inventory::*;
pub use of_masters::*;
pub use of_orders::*;
pub use of_pictures::*;
pub use of_prices::*;
pub use of_runs::*;
pub use of_signals::*;
