//! Stocks: booked, and told.

mod bookings;
mod reserved;
mod stocks;
mod warehouses;

pub use bookings::{Booked, Booking, Given, book, list as list_bookings};
pub use stocks::{Filter, Stock, list as list_stocks, of as stocks_of};
pub use warehouses::{
    Filter as WarehouseFilter, delete as delete_warehouses, get as get_warehouse, list as list_warehouses,
    upsert as upsert_warehouses,
};
