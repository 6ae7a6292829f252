//! The handlers: one file a portType. Each calls the rules and the store, and says what came of it.

mod catalog;
mod exchange;
mod page;
mod results;

pub use catalog::CatalogService;
pub use exchange::ExchangeService;
