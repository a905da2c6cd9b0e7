//! Structures that are values of socket options: where their fields lie.

use super::lower::{Lower, is_ellipsis};
use super::tcp_info;
use crate::script::{Expression, Field};

/// A field: its names, offset and size in bytes.
pub(super) struct Place {
    pub(super) names: &'static [&'static str],
    pub(super) offset: usize,
    pub(super) size: usize,
}

struct Layout {
    size: usize,
    places: &'static [Place],
}

const fn place(names: &'static [&'static str], offset: usize, size: usize) -> Place {
    Place {
        names,
        offset,
        size,
    }
}

#[rustfmt::skip]
const LAYOUTS: &[Layout] = &[
    // struct linger
    Layout { size: 8, places: &[place(&["onoff", "l_onoff"], 0, 4), place(&["linger", "l_linger"], 4, 4)] },
    // struct timeval
    Layout { size: 16, places: &[place(&["tv_sec"], 0, 8), place(&["tv_usec"], 8, 8)] },
    // struct in6_flowlabel_req
    Layout { size: 32, places: &[
        place(&["flr_label"], 16, 4), place(&["flr_action"], 20, 1), place(&["flr_share"], 21, 1), place(&["flr_flags"], 22, 2),
        place(&["flr_expires"], 24, 2), place(&["flr_linger"], 26, 2),
    ] },
];

impl Lower<'_> {
    /// The bytes of a structure; `None` for those that do not matter.
    pub(super) fn structure(
        &mut self,
        fields: &[Field],
        at: &Expression,
    ) -> Option<Vec<Option<u8>>> {
        let Some(first) = fields.first() else {
            return self.expected(at, "fields");
        };
        if first.name.starts_with("tcpi_") {
            return self.laid_out(tcp_info::SIZE, tcp_info::PLACES, fields, None);
        }
        let known = LAYOUTS.iter().find(|layout| {
            let names = layout.places.iter().flat_map(|place| place.names);
            names.into_iter().any(|name| *name == first.name)
        });
        let Some(layout) = known else {
            let what = "a structure that is known: linger, timeval, in6_flowlabel_req, tcp_info";
            return self.expected(at, what);
        };
        self.laid_out(layout.size, layout.places, fields, Some(0))
    }

    /// `rest`: the bytes of fields that are not named.
    fn laid_out(
        &mut self,
        size: usize,
        places: &[Place],
        fields: &[Field],
        rest: Option<u8>,
    ) -> Option<Vec<Option<u8>>> {
        let mut bytes = vec![rest; size];
        let mut fine = true;
        for field in fields {
            let name = field.name.as_str();
            let Some(place) = places.iter().find(|place| place.names.contains(&name)) else {
                self.error::<()>(field.span, format!("unknown field `{name}`"));
                fine = false;
                continue;
            };
            let target = &mut bytes[place.offset..place.offset + place.size];
            if is_ellipsis(&field.value) {
                target.fill(None);
                continue;
            }
            let Some(value) = self.integer(&field.value) else {
                fine = false;
                continue;
            };
            let value = value.to_ne_bytes();
            // Little-endian and big-endian machines keep the low bytes at different ends.
            let low = if cfg!(target_endian = "little") {
                &value[..place.size]
            } else {
                &value[value.len() - place.size..]
            };
            for (byte, value) in target.iter_mut().zip(low) {
                *byte = Some(*value);
            }
        }
        fine.then_some(bytes)
    }
}
