//! Contracts served without compiling: the same readers and writers as generated code has, steered by what the
//! generator would have written.

mod copy;
mod gateway;
mod lasting;
mod mock;
mod serve;
mod service;
mod shapes;

pub use copy::{json_of, xml_of, xml_of_json};
pub use gateway::Gateway;
pub use mock::Mock;
pub use serve::{Options, serve};
pub use service::{Handler, Loaded, Operation, Request};
pub use shapes::{MessageShape, Shapes};
