//! What the connector knows of Microsoft Graph without talking to it: addresses, documents, refusals, names
//! and ids.

pub(crate) mod address;
pub(crate) mod documents;
pub(crate) mod failure;
pub(crate) mod ids;
pub(crate) mod names;
