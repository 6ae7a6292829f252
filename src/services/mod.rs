//! The handlers: one file a portType. Each calls the rules and the store, and says what came of it.

mod catalog;
mod customers;
mod exchange;
mod inventory;
mod orders;
mod page;
mod pricing;
mod results;
mod times;

pub use catalog::CatalogService;
pub use customers::CustomersService;
pub use exchange::ExchangeService;
pub use inventory::InventoryService;
pub use orders::OrdersService;
pub use pricing::PricingService;
