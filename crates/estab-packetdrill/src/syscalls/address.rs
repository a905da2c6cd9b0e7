//! `sockaddr`s: from the script, and for messages.

use super::lower::{Lower, field, is_ellipsis, is_null};
use crate::script::{Expression, Field, Value};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

const V4_LEN: usize = 16;
/// Length of a `sockaddr_storage`: what calls are given for an address of no family.
const STORAGE_LEN: usize = 128;

/// The bytes of a `sockaddr`.
pub(crate) fn bytes(address: SocketAddr) -> Vec<u8> {
    match address {
        SocketAddr::V4(v4) => {
            let mut out = family(libc::AF_INET).to_vec();
            out.extend_from_slice(&v4.port().to_be_bytes());
            out.extend_from_slice(&v4.ip().octets());
            out.resize(V4_LEN, 0);
            out
        }
        SocketAddr::V6(v6) => {
            let mut out = family(libc::AF_INET6).to_vec();
            out.extend_from_slice(&v6.port().to_be_bytes());
            out.extend_from_slice(&v6.flowinfo().to_be_bytes());
            out.extend_from_slice(&v6.ip().octets());
            out.extend_from_slice(&v6.scope_id().to_ne_bytes());
            out
        }
    }
}

fn family(number: i32) -> [u8; 2] {
    u16::try_from(number).unwrap_or(0).to_ne_bytes()
}

/// The address in a `sockaddr`, if it is one of IPv4 or IPv6.
pub(crate) fn read(bytes: &[u8]) -> Option<SocketAddr> {
    let &[a, b, c, d, ref rest @ ..] = bytes else {
        return None;
    };
    let port = u16::from_be_bytes([c, d]);
    match i32::from(u16::from_ne_bytes([a, b])) {
        libc::AF_INET => {
            let ip: [u8; 4] = *rest.first_chunk()?;
            Some(SocketAddr::new(Ipv4Addr::from(ip).into(), port))
        }
        libc::AF_INET6 => {
            let (flow, rest) = rest.split_first_chunk::<4>()?;
            let (ip, rest) = rest.split_first_chunk::<16>()?;
            let scope = rest
                .first_chunk()
                .map_or(0, |scope| u32::from_ne_bytes(*scope));
            let flow = u32::from_be_bytes(*flow);
            Some(SocketAddrV6::new(Ipv6Addr::from(*ip), port, flow, scope).into())
        }
        _ => None,
    }
}

/// A `sockaddr` in the script's words.
pub(super) fn shown(bytes: &[u8]) -> String {
    match read(bytes) {
        Some(SocketAddr::V4(v4)) => format!(
            "{{sa_family=AF_INET, sin_port=htons({}), sin_addr=inet_addr(\"{}\")}}",
            v4.port(),
            v4.ip()
        ),
        Some(SocketAddr::V6(v6)) => format!(
            "{{sa_family=AF_INET6, sin6_port=htons({}), inet_pton(AF_INET6, \"{}\", &sin6_addr)}}",
            v6.port(),
            v6.ip()
        ),
        None => format!("{} bytes of another family", bytes.len()),
    }
}

impl Lower<'_> {
    /// The script's own end.
    pub(super) fn own_address(&self) -> Vec<u8> {
        self.of_version(self.config.network.local_ip, self.config.bind_port)
    }

    /// The peer that the script plays.
    pub(super) fn peer_address(&self) -> Vec<u8> {
        self.of_version(self.config.network.remote_ip, self.config.connect_port)
    }

    fn of_version(&self, ip: IpAddr, port: u16) -> Vec<u8> {
        let ip = match ip {
            IpAddr::V4(v4) if self.config.network.ip_version.sockets_are_v6() => {
                v4.to_ipv6_mapped().into()
            }
            other => other,
        };
        bytes(SocketAddr::new(ip, port))
    }

    /// An address that a call is given: `own` for `...`, nothing for NULL.
    pub(super) fn address(&mut self, from: &Expression, own: Vec<u8>) -> Option<Option<Vec<u8>>> {
        if is_ellipsis(from) {
            return Some(Some(own));
        }
        if is_null(from) {
            return Some(None);
        }
        let fields = self.fields(from)?;
        self.sockaddr(fields, from).map(Some)
    }

    fn sockaddr(&mut self, fields: &[Field], from: &Expression) -> Option<Vec<u8>> {
        let named = ["sa_family", "sin_family", "sin6_family"];
        let Some(family) = named.iter().find_map(|name| field(fields, name)) else {
            return self.expected(from, "sa_family=...");
        };
        match self.int(&family.value)? {
            libc::AF_UNSPEC => Some(vec![0; STORAGE_LEN]),
            libc::AF_INET => self.v4(fields, from),
            libc::AF_INET6 => self.v6(fields, from),
            other => {
                // Calls must refuse it, whatever stands in it.
                let mut out = vec![0; V4_LEN];
                out[..2].copy_from_slice(&self.narrow::<u16>(other.into(), from)?.to_ne_bytes());
                Some(out)
            }
        }
    }

    fn v4(&mut self, fields: &[Field], from: &Expression) -> Option<Vec<u8>> {
        let port = self.port(fields, "sin_port", from);
        let ip = match field(fields, "sin_addr") {
            Some(field) => self.ip(&field.value),
            None => self.expected(from, "sin_addr=inet_addr(\"...\")"),
        };
        match ip? {
            IpAddr::V4(v4) => Some(bytes(SocketAddr::new(v4.into(), port?))),
            IpAddr::V6(_) => self.expected(from, "an IPv4 address"),
        }
    }

    fn v6(&mut self, fields: &[Field], from: &Expression) -> Option<Vec<u8>> {
        let port = self.port(fields, "sin6_port", from);
        let pton = fields.iter().find(|field| {
            matches!(&field.value.value, Value::Function { name, .. } if name == "inet_pton")
        });
        let ip = match field(fields, "sin6_addr").or(pton) {
            Some(field) => self.ip(&field.value),
            None => self.expected(from, "inet_pton(AF_INET6, \"...\", &sin6_addr)"),
        };
        let flow = self.optional(fields, "sin6_flowinfo");
        let scope = self.optional(fields, "sin6_scope_id");
        match ip? {
            IpAddr::V6(v6) => Some(bytes(
                // What `htonl` gave is in network order already.
                SocketAddrV6::new(v6, port?, u32::from_be(flow?), scope?).into(),
            )),
            IpAddr::V4(_) => self.expected(from, "an IPv6 address"),
        }
    }

    fn optional(&mut self, fields: &[Field], name: &str) -> Option<u32> {
        match field(fields, name) {
            Some(field) => self.int(&field.value).map(i32::cast_unsigned),
            None => Some(0),
        }
    }

    fn port(&mut self, fields: &[Field], name: &str, from: &Expression) -> Option<u16> {
        let Some(field) = field(fields, name) else {
            return self.expected(from, &format!("{name}=htons(...)"));
        };
        if is_ellipsis(&field.value) {
            return Some(self.config.bind_port);
        }
        let value = self.integer(&field.value)?;
        self.narrow::<u16>(value, &field.value).map(u16::from_be)
    }

    /// `inet_addr("192.0.2.1")`, `INADDR_ANY`, `inet_pton(AF_INET6, "::1", &sin6_addr)`, `...`.
    fn ip(&mut self, from: &Expression) -> Option<IpAddr> {
        let text = match &from.value {
            Value::Ellipsis => return Some(self.config.network.local_ip),
            Value::Function { arguments, .. } => {
                arguments.iter().find_map(|argument| match &argument.value {
                    Value::Text(text) => Some(text),
                    _ => None,
                })
            }
            Value::Text(text) => Some(text),
            _ => {
                // A number in network order, as `htonl` gives it.
                let bits = self.int(from)?.cast_unsigned();
                return Some(Ipv4Addr::from(bits.to_ne_bytes()).into());
            }
        };
        let parsed = text
            .and_then(|text| core::str::from_utf8(text).ok())
            .and_then(|text| text.parse().ok());
        parsed.or_else(|| self.expected(from, "an address"))
    }

    /// Room for an address that a call stores, and what is expected of it: the two arguments `address, length`.
    pub(super) fn stored_address(
        &mut self,
        address: &Expression,
        length: &Expression,
    ) -> Option<(Option<u32>, super::Expected)> {
        let room = match &length.value {
            Value::Ellipsis => STORAGE_LEN as i64,
            _ => self.pointed(length)?,
        };
        let room = self.narrow::<u32>(room, length)?;
        if is_ellipsis(address) || is_null(address) {
            // Always asked for, since it tells which connection it is.
            return Some((Some(room.max(STORAGE_LEN as u32)), super::Expected::Any));
        }
        let fields = self.fields(address)?;
        let mut expected = self.sockaddr(fields, address)?;
        expected.truncate(room as usize);
        Some((Some(room), super::Expected::Address(expected)))
    }
}
