//! What the face says it can do: less before signing in, and less when a switch hides something.

use imap_codec::imap_types::{
    auth::AuthMechanism, core::Vec1, extensions::utf8::Utf8Kind, response::Capability,
};

use super::{Security, session::Session, wire::Stream};

impl<S: Stream> Session<S> {
    pub(super) fn capabilities(&self) -> Vec1<Capability<'static>> {
        let mut offered =
            vec![Capability::Imap4Rev1, Capability::SaslIr, Capability::LiteralPlus, Capability::Id];
        if self.signed_in {
            let switches = self.face.faults.switches();
            offered.extend([
                Capability::Enable,
                Capability::Utf8(Utf8Kind::Accept),
                Capability::Idle,
                Capability::Namespace,
                Capability::Unselect,
            ]);
            offered.extend((!switches.without_uidplus).then_some(Capability::UidPlus));
            offered.extend((!switches.without_move).then_some(Capability::Move));
            offered.extend(["CHILDREN", "SPECIAL-USE"].into_iter().flat_map(Capability::try_from));
        } else if self.security == Security::StartTls {
            offered.extend([Capability::StartTls, Capability::LoginDisabled]);
        } else {
            let mechanisms = [
                AuthMechanism::Plain,
                AuthMechanism::Login,
                AuthMechanism::XOAuth2,
                AuthMechanism::OAuthBearer,
            ];
            offered.extend(mechanisms.map(Capability::Auth));
        }
        Vec1::unvalidated(offered)
    }
}
