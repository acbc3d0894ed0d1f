//! Which addresses a connection may go to. A name that a connector describes has to lead to the public network: what
//! leads to this machine, its neighbours, or a cloud's metadata service is reached only where the operator's own
//! setting says so.
//!
//! The HTTP library asks here for a name's addresses and connects to what it is told, so that what was checked is what is
//! connected to. Behind a proxy names are the proxy's to resolve, and where they lead is its to check.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};
use wissel_model::{ConnectorError, ErrorKind};

/// Who says that a connection may go to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Named {
    /// The connector's description.
    ByConnector,
    /// A setting that the operator gave.
    ByOperator,
}

/// Where an address leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Zone {
    Public,
    /// This machine, or a network behind it.
    Private,
    /// The wire that this machine is on. Metadata services of clouds live there, and give out credentials.
    Link,
    /// No single machine at all.
    Nowhere,
}

impl Named {
    /// Checks a host that is written as an address.
    ///
    /// # Errors
    /// `permission-missing` when a connection may not go there.
    pub(crate) fn check(self, url: &Url) -> Result<(), ConnectorError> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        // An operator who writes the address itself means it.
        let most = if self == Self::ByOperator { Zone::Link } else { Zone::Public };
        if zone(address) <= most { Ok(()) } else { Err(self.refused(&address.to_string(), None)) }
    }

    /// Checks what a name was resolved to: all of it, as any of it may be connected to.
    fn check_resolved(self, name: &str, found: &[SocketAddr]) -> Result<(), ConnectorError> {
        let most = if self == Self::ByOperator { Zone::Private } else { Zone::Public };
        match found.iter().find(|address| zone(address.ip()) > most) {
            Some(address) => Err(self.refused(name, Some(address.ip()))),
            None => Ok(()),
        }
    }

    fn refused(self, host: &str, address: Option<IpAddr>) -> ConnectorError {
        let host = match address {
            Some(address) => format!("{host} leads to {address}, which"),
            None => host.to_owned(),
        };
        let message = match self {
            Self::ByConnector => format!(
                "{host} is not on the public network; a connection goes there only when a setting of the account names \
                 that host"
            ),
            Self::ByOperator => {
                format!(
                    "{host} is a link-local or reserved address; if it is meant, write the address itself"
                )
            }
        };
        ConnectorError::new(ErrorKind::PermissionMissing, message).with_code("private-address")
    }
}

/// Resolves names for the HTTP library.
#[derive(Debug)]
pub(crate) struct Resolver(pub(crate) Named);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let named = self.0;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            named.check_resolved(name.as_str(), &found)?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn zone(address: IpAddr) -> Zone {
    match address {
        IpAddr::V4(address) => zone_v4(address),
        IpAddr::V6(address) => zone_v6(address),
    }
}

/// By the registry of special-purpose addresses (RFC 6890 and its updates).
fn zone_v4(address: Ipv4Addr) -> Zone {
    // Metadata services that are not link-local.
    const METADATA: [[u8; 4]; 2] = [[100, 100, 100, 200], [192, 0, 0, 192]];
    match address.octets() {
        [0, ..] | [224..=255, ..] => Zone::Nowhere,
        [169, 254, ..] => Zone::Link,
        octets if METADATA.contains(&octets) => Zone::Link,
        [10 | 127, ..]
        | [100, 64..=127, ..]
        | [172, 16..=31, ..]
        | [192, 0, 0 | 2, _]
        | [192, 168, ..]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Zone::Private,
        _ => Zone::Public,
    }
}

fn zone_v6(address: Ipv6Addr) -> Zone {
    let segments = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        zone_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 0] => Zone::Nowhere,
        [0, 0, 0, 0, 0, 0, 0, 1] => Zone::Private,
        // Forms that carry an IPv4 address: mapped and compatible (RFC 4291), translated (RFC 2765 and 6052), 6to4 (RFC 3056).
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => v4(high, low),
        // Teredo (RFC 4380): the client's address is the other way round.
        [0x2001, 0, _, _, _, _, high, low] => v4(!high, !low).max(Zone::Private),
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] => Zone::Link,
        [0xfe80..=0xfebf, ..] => Zone::Link,
        [0xff00..=0xffff, ..] => Zone::Nowhere,
        // Only 2000::/3 is given out; of that, 2001::/23 and the documentation's are not for the public.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Zone::Private,
        [0x2000..=0x3fff, ..] => Zone::Public,
        _ => Zone::Private,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(address: &str) -> Zone {
        zone(address.parse().unwrap())
    }

    #[test]
    fn every_form_of_an_address_is_told_by_where_it_leads() {
        for address in
            ["8.8.8.8", "192.0.1.1", "172.32.0.1", "100.128.0.1", "2001:4860:4860::8888", "2a00::1"]
        {
            assert_eq!(of(address), Zone::Public, "{address}");
        }
        for address in ["::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"] {
            assert_eq!(of(address), Zone::Public, "{address}");
        }
        let private = [
            "127.0.0.1",
            "127.9.9.9",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "198.18.0.1",
            "192.0.2.1",
            "::1",
            "fd12::1",
            "fc00::1",
            "fec0::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::7f00:1",
            "2002:7f00:1::1",
            "2002:c0a8:101::",
            "2001:0:1:2:3:4:80ff:fffe",
            "::ffff:0:10.0.0.1",
            "2001:db8::1",
            "100::1",
        ];
        for address in private {
            assert_eq!(of(address), Zone::Private, "{address}");
        }
        let link = [
            "169.254.169.254",
            "169.254.170.2",
            "fe80::1",
            "febf::1",
            "fd00:ec2::254",
            "100.100.100.200",
            "192.0.0.192",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::",
        ];
        for address in link {
            assert_eq!(of(address), Zone::Link, "{address}");
        }
        for address in ["0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "240.0.0.1", "::", "ff02::1"] {
            assert_eq!(of(address), Zone::Nowhere, "{address}");
        }
    }

    #[test]
    fn a_name_may_lead_to_a_private_network_only_where_the_operator_named_it() {
        let found = |addresses: &[&str]| -> Vec<SocketAddr> {
            addresses.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0)).collect()
        };
        let check =
            |named: Named, addresses: &[&str]| named.check_resolved("mail.example.com", &found(addresses));
        assert!(check(Named::ByConnector, &["8.8.8.8", "2a00::1"]).is_ok());
        let error = check(Named::ByConnector, &["8.8.8.8", "127.0.0.1"]).unwrap_err();
        assert_eq!(
            (error.kind, error.code.as_deref()),
            (ErrorKind::PermissionMissing, Some("private-address"))
        );
        assert!(check(Named::ByOperator, &["10.0.0.1", "::1"]).is_ok());
        assert!(check(Named::ByOperator, &["169.254.169.254"]).is_err(), "a name is not the address itself");
    }

    #[test]
    fn an_address_that_the_operator_wrote_is_meant() {
        let check = |named: Named, host: &str| named.check(&Url::parse(&format!("http://{host}/")).unwrap());
        assert!(
            check(Named::ByConnector, "8.8.8.8").is_ok() && check(Named::ByConnector, "localhost").is_ok()
        );
        for host in ["127.0.0.1", "0x7f.1", "[::1]", "169.254.169.254", "[::ffff:7f00:1]"] {
            assert!(check(Named::ByConnector, host).is_err(), "{host}");
            assert!(check(Named::ByOperator, host).is_ok(), "{host}");
        }
        assert!(
            check(Named::ByOperator, "0.0.0.0").is_err() && check(Named::ByOperator, "[ff02::1]").is_err()
        );
    }
}
