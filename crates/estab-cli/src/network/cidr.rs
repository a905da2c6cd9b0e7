//! Addresses with the length of their network's prefix.

use estab_stack::Cidr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Reads `ADDRESS/LENGTH`; without a length it is the address alone.
///
/// # Errors
/// It is none; the text says why.
pub(crate) fn parse(text: &str) -> Result<Cidr, String> {
    let (address, len) = match text.split_once('/') {
        Some((address, len)) => (address, Some(len)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| {
        format!("{address:?} is no IP address (expected ADDRESS/LENGTH, such as 10.7.0.2/24)")
    })?;
    let len_max = bits(address);
    let prefix_len = len.map_or(Ok(len_max), |len| {
        let digits = len.bytes().all(|byte| byte.is_ascii_digit());
        let len = len
            .parse()
            .ok()
            .filter(|&len: &u8| digits && len <= len_max);
        len.ok_or_else(|| format!("the length of the prefix must be 0 to {len_max}"))
    })?;
    Ok(Cidr {
        address,
        prefix_len,
    })
}

/// As it is written.
pub(crate) fn show(cidr: Cidr) -> String {
    format!("{}/{}", cidr.address, cidr.prefix_len)
}

/// The first other host's address in the network of `own`: what the kernel's side of a device gets when nothing is said.
/// `None` when there is no other.
pub(crate) fn first_other(own: Cidr) -> Option<Cidr> {
    let host_bits = u32::from(bits(own.address) - own.prefix_len);
    let address = match own.address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0);
            let network = u32::from(address) & mask;
            // A network of two addresses has no address of its own and no broadcast (RFC 3021).
            let (first, last) = match host_bits {
                0 => return None,
                1 => (network, network + 1),
                _ => (network + 1, (network | !mask) - 1),
            };
            let found = (first..=last).find(|&other| other != u32::from(address))?;
            Ipv4Addr::from(found).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
            let network = u128::from(address) & mask;
            // The network's own address is that of all routers (RFC 4291), but for a network of two (RFC 6164).
            let first = network + u128::from(host_bits > 1);
            let found = (first..=network | !mask).find(|&other| other != u128::from(address))?;
            Ipv6Addr::from(found).into()
        }
    };
    Some(Cidr { address, ..own })
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

#[cfg(test)]
mod tests {
    use super::{first_other, parse, show};

    fn other(cidr: &str) -> Option<String> {
        first_other(parse(cidr).unwrap()).map(show)
    }

    #[test]
    fn addresses_with_and_without_a_length() {
        assert_eq!(show(parse("10.7.0.2/24").unwrap()), "10.7.0.2/24");
        assert_eq!(show(parse("10.7.0.2").unwrap()), "10.7.0.2/32");
        assert_eq!(show(parse("fd00::2").unwrap()), "fd00::2/128");
        for bad in [
            "",
            "10.7.0/24",
            "10.7.0.2/33",
            "10.7.0.2/",
            "10.7.0.2/+8",
            "fd00::/129",
            "x/8",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_kernel_gets_the_first_other_address() {
        assert_eq!(other("10.7.0.2/24").as_deref(), Some("10.7.0.1/24"));
        assert_eq!(other("10.7.0.1/24").as_deref(), Some("10.7.0.2/24"));
        assert_eq!(other("10.7.0.5/31").as_deref(), Some("10.7.0.4/31"));
        assert_eq!(other("10.7.0.4/31").as_deref(), Some("10.7.0.5/31"));
        assert_eq!(other("10.7.0.2/30").as_deref(), Some("10.7.0.1/30"));
        assert_eq!(other("10.7.0.2/32"), None);
        assert_eq!(other("1.2.3.4/0").as_deref(), Some("0.0.0.1/0"));
        assert_eq!(other("fd00::2/64").as_deref(), Some("fd00::1/64"));
        assert_eq!(other("fd00::1/64").as_deref(), Some("fd00::2/64"));
        assert_eq!(other("fd00::/127").as_deref(), Some("fd00::1/127"));
        assert_eq!(other("fd00::2/128"), None);
    }
}
