//! Which imports a component may have, and what they are connected to: the interfaces of the contract and nothing
//! else.

use wasmtime::Engine;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, HasSelf, Linker};

use crate::bindings::{Connector, ConnectorPre};
use crate::rejection::Rejection;
use crate::state::State;

const PACKAGE: &str = "wissel:connector/";
const INTERFACES: &[&str] = &["types", "log", "clock", "random", "content", "http", "credentials", "streams"];
const EXPORT: &str = "wissel:connector/email-account@";

/// The contract's interfaces, connected to the capabilities.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    Connector::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    Ok(linker)
}

/// Refuses a component by what it imports and exports, before anything of it runs.
pub(crate) fn check_surface(engine: &Engine, component: &Component) -> Result<(), Rejection> {
    let surface = component.component_type();
    for (name, _) in surface.imports(engine) {
        if name.starts_with("wasi:") {
            return Err(Rejection::NeedsWasi { import: name.to_owned() });
        }
        let interface = name.strip_prefix(PACKAGE).and_then(|rest| rest.split('@').next());
        if !interface.is_some_and(|interface| INTERFACES.contains(&interface)) {
            return Err(Rejection::ForeignImport { import: name.to_owned() });
        }
    }
    let mut exports = surface.exports(engine);
    let found = exports.any(|(name, item)| {
        name.starts_with(EXPORT) && matches!(item.ty, ComponentItem::ComponentInstance(_))
    });
    if found { Ok(()) } else { Err(Rejection::NoConnector) }
}

/// Connects a component: names and types of both sides are compared here, once for all sessions.
pub(crate) fn connect(
    linker: &Linker<State>,
    component: &Component,
) -> Result<ConnectorPre<State>, Rejection> {
    linker
        .instantiate_pre(component)
        .and_then(ConnectorPre::new)
        .map_err(|error| Rejection::OtherContract { problem: format!("{error:#}") })
}
