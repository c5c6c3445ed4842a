//! Tools for tests: a caller that records as the wrapper does, and a look into the database.
//!
//! A dev-dependency only. Panics where a test should fail; never used by the product.

mod caller;
mod looking;
mod overload;

pub use caller::{Caller, Raised, identity};
pub use looking::Database;
pub use overload::{Became, Ends, Missing};
