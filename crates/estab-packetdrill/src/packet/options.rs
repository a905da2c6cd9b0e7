//! TCP options to bytes and back.

use crate::script::{AccEcnField, TcpOption};

/// Room for options in a header, bytes.
pub(crate) const ROOM: usize = 40;

mod kind {
    pub(super) const END: u8 = 0;
    pub(super) const NOP: u8 = 1;
    pub(super) const MSS: u8 = 2;
    pub(super) const WINDOW_SCALE: u8 = 3;
    pub(super) const SACK_PERMITTED: u8 = 4;
    pub(super) const SACK: u8 = 5;
    pub(super) const TIMESTAMPS: u8 = 8;
    pub(super) const MD5: u8 = 19;
    pub(super) const FAST_OPEN: u8 = 34;
    pub(super) const ACC_ECN_0: u8 = 172;
    pub(super) const ACC_ECN_1: u8 = 174;
    pub(super) const EXPERIMENTAL: u8 = 254;
}

/// Identifiers of experiments behind option 254 (RFC 6994).
mod experiment {
    pub(super) const FAST_OPEN: u16 = 0xf989;
    pub(super) const ACC_ECN_0: u16 = 0xacc0;
    pub(super) const ACC_ECN_1: u16 = 0xacc1;
}

/// Orders of the counters (RFC 9768).
const ORDER_0: [AccEcnField; 3] = [AccEcnField::E0b, AccEcnField::Ceb, AccEcnField::E1b];
const ORDER_1: [AccEcnField; 3] = [AccEcnField::E1b, AccEcnField::Ceb, AccEcnField::E0b];

/// Bytes of an option.
pub(crate) fn emit(option: &TcpOption, out: &mut Vec<u8>) {
    match option {
        TcpOption::Nop => out.push(kind::NOP),
        TcpOption::Eol => out.push(kind::END),
        TcpOption::Mss(mss) => with_len(out, kind::MSS, &mss.to_be_bytes()),
        TcpOption::WindowScale(shift) => with_len(out, kind::WINDOW_SCALE, &[*shift]),
        TcpOption::SackOk => with_len(out, kind::SACK_PERMITTED, &[]),
        TcpOption::Sack(blocks) => {
            let edges = blocks.iter().flat_map(|(left, right)| [*left, *right]);
            let data: Vec<u8> = edges.flat_map(u32::to_be_bytes).collect();
            with_len(out, kind::SACK, &data);
        }
        TcpOption::Timestamp { value, echo } => {
            let data = [value.to_be_bytes(), echo.to_be_bytes()].concat();
            with_len(out, kind::TIMESTAMPS, &data);
        }
        TcpOption::FastOpen(cookie) => with_len(out, kind::FAST_OPEN, cookie),
        TcpOption::FastOpenExperimental(cookie) => {
            experimental(out, experiment::FAST_OPEN, cookie);
        }
        TcpOption::Md5(digest) => with_len(out, kind::MD5, digest),
        TcpOption::AccEcn {
            experimental: by_experiment,
            fields,
        } => {
            let counters = fields.iter().flat_map(|(_, n)| {
                let [_, a, b, c] = n.to_be_bytes();
                [a, b, c]
            });
            let data: Vec<u8> = counters.collect();
            let first = fields.iter().map(|(field, _)| *field);
            let second_order = !first.eq(ORDER_0.into_iter().take(fields.len()));
            match (by_experiment, second_order) {
                (false, false) => with_len(out, kind::ACC_ECN_0, &data),
                (false, true) => with_len(out, kind::ACC_ECN_1, &data),
                (true, false) => experimental(out, experiment::ACC_ECN_0, &data),
                (true, true) => experimental(out, experiment::ACC_ECN_1, &data),
            }
        }
    }
}

/// Bytes of a row of options.
pub(crate) fn emit_all(options: &[TcpOption]) -> Vec<u8> {
    let mut out = Vec::new();
    for option in options {
        emit(option, &mut out);
    }
    out
}

/// Are the counters of an AccECN option in one of its two orders?
pub(crate) fn acc_ecn_order_exists(fields: &[(AccEcnField, u32)]) -> bool {
    let is = |order: [AccEcnField; 3]| {
        let named = fields.iter().map(|(field, _)| *field);
        named.eq(order.into_iter().take(fields.len()))
    };
    is(ORDER_0) || is(ORDER_1)
}

fn with_len(out: &mut Vec<u8>, kind: u8, data: &[u8]) {
    // What is longer than a header has no place in one, which is seen before.
    let len = u8::try_from(data.len() + 2).unwrap_or(u8::MAX);
    out.extend_from_slice(&[kind, len]);
    out.extend_from_slice(data);
}

fn experimental(out: &mut Vec<u8>, experiment: u16, data: &[u8]) {
    with_len(
        out,
        kind::EXPERIMENTAL,
        &[&experiment.to_be_bytes(), data].concat(),
    );
}

/// Reads options as strictly as they are to be written.
///
/// # Errors
/// What is wrong with them.
pub(crate) fn parse(mut bytes: &[u8]) -> Result<Vec<TcpOption>, String> {
    let mut options = Vec::new();
    loop {
        match *bytes {
            [] => return Ok(options),
            [kind::NOP, ref rest @ ..] => {
                options.push(TcpOption::Nop);
                bytes = rest;
            }
            [kind::END, ref rest @ ..] => {
                // What follows the end is padding: one `eol` for each byte, so that a script can tell how many.
                if rest.iter().any(|byte| *byte != 0) {
                    return Err("something follows the end of the TCP options".to_owned());
                }
                options.extend(core::iter::repeat_n(TcpOption::Eol, 1 + rest.len()));
                return Ok(options);
            }
            [kind, len, ref rest @ ..] => {
                let data = usize::from(len)
                    .checked_sub(2)
                    .and_then(|len| rest.split_at_checked(len));
                let Some((data, rest)) = data else {
                    return Err(format!("TCP option {kind} has a wrong length, {len}"));
                };
                let option = one(kind, data).ok_or_else(|| {
                    format!("TCP option {kind} of {len} bytes is unknown or has a wrong length")
                })?;
                options.push(option);
                bytes = rest;
            }
            [kind] => return Err(format!("TCP option {kind} has no length")),
        }
    }
}

fn one(kind: u8, data: &[u8]) -> Option<TcpOption> {
    Some(match (kind, data) {
        (kind::MSS, &[a, b]) => TcpOption::Mss(u16::from_be_bytes([a, b])),
        (kind::WINDOW_SCALE, &[shift]) => TcpOption::WindowScale(shift),
        (kind::SACK_PERMITTED, []) => TcpOption::SackOk,
        (kind::SACK, data) => {
            let (words, rest) = data.as_chunks::<8>();
            if words.is_empty() || !rest.is_empty() {
                return None;
            }
            let block = |&[a, b, c, d, e, f, g, h]: &[u8; 8]| {
                let left = u32::from_be_bytes([a, b, c, d]);
                (left, u32::from_be_bytes([e, f, g, h]))
            };
            TcpOption::Sack(words.iter().map(block).collect())
        }
        (kind::TIMESTAMPS, &[a, b, c, d, e, f, g, h]) => TcpOption::Timestamp {
            value: u32::from_be_bytes([a, b, c, d]),
            echo: u32::from_be_bytes([e, f, g, h]),
        },
        (kind::FAST_OPEN, cookie) => TcpOption::FastOpen(cookie.to_vec()),
        (kind::MD5, digest) if digest.len() == 16 => TcpOption::Md5(digest.to_vec()),
        (kind::ACC_ECN_0, data) => acc_ecn(false, ORDER_0, data)?,
        (kind::ACC_ECN_1, data) => acc_ecn(false, ORDER_1, data)?,
        (kind::EXPERIMENTAL, &[a, b, ref data @ ..]) => match u16::from_be_bytes([a, b]) {
            experiment::FAST_OPEN => TcpOption::FastOpenExperimental(data.to_vec()),
            experiment::ACC_ECN_0 => acc_ecn(true, ORDER_0, data)?,
            experiment::ACC_ECN_1 => acc_ecn(true, ORDER_1, data)?,
            _ => return None,
        },
        _ => return None,
    })
}

fn acc_ecn(experimental: bool, order: [AccEcnField; 3], data: &[u8]) -> Option<TcpOption> {
    let (counters, rest) = data.as_chunks::<3>();
    if counters.len() > order.len() || !rest.is_empty() {
        return None;
    }
    let value = |&[a, b, c]: &[u8; 3]| u32::from_be_bytes([0, a, b, c]);
    Some(TcpOption::AccEcn {
        experimental,
        fields: order.into_iter().zip(counters.iter().map(value)).collect(),
    })
}
