//! The handlers: one file a portType. Each calls the rules and the store, and says what came of it.

mod catalog;
mod customers;
mod exchange;
mod inventory;
mod listener;
mod masters;
mod media;
mod orders;
mod page;
mod pricing;
pub(crate) mod results;
mod signals;
mod times;

pub use catalog::CatalogService;
pub use customers::CustomersService;
pub use exchange::{ExchangeService, initiator};
pub use inventory::InventoryService;
pub use listener::ListenerService;
pub use media::MediaService;
pub use orders::OrdersService;
pub use pricing::PricingService;
pub use signals::SignalsService;
