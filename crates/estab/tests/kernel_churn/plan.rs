//! How each connection goes, drawn from a seed.

use crate::common::pattern;

/// Most bytes in one direction.
const LEN_MAX: usize = 200_000;
const POOL_LEN: usize = 1 << 20;

/// Who ends which direction when.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Closing {
    /// The first end has read everything, writes what it has, and closes at once with that on its way; the other closes
    /// when it has read to the end.
    OneCloses,
    /// The first end writes and ends that direction; the other sends its data after the end of file.
    HalfClose,
    /// Both have read everything, and close at the same moment.
    BothClose,
    /// Both write at once and end their direction with data on its way.
    BothHalfClose,
}

impl Closing {
    const ALL: [Self; 4] = [
        Self::OneCloses,
        Self::HalfClose,
        Self::BothClose,
        Self::BothHalfClose,
    ];
}

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Client,
    Server,
}

/// What one end of a connection does.
pub(crate) struct Plan<'a> {
    pub(crate) closing: Closing,
    /// It is the first to close.
    pub(crate) first: bool,
    /// What it sends.
    pub(crate) mine: &'a [u8],
    /// What it has to receive.
    pub(crate) theirs: &'a [u8],
}

/// The plans of all connections.
pub(crate) struct Plans {
    seed: u64,
    pool: Vec<u8>,
}

impl Plans {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            pool: pattern(POOL_LEN),
        }
    }

    pub(crate) fn plan(&self, number: u64, role: Role) -> Plan<'_> {
        let mut draw = Draw(
            self.seed
                .wrapping_mul(0x1_0000_0001)
                .wrapping_add(number << 8),
        );
        let closing = Closing::ALL[draw.below(4)];
        let first = if draw.below(2) == 0 {
            Role::Client
        } else {
            Role::Server
        };
        let client = self.data(&mut draw);
        let server = self.data(&mut draw);
        let (mine, theirs) = match role {
            Role::Client => (client, server),
            Role::Server => (server, client),
        };
        Plan {
            closing,
            first: first == role,
            mine,
            theirs,
        }
    }

    /// Nothing, a little, or much; from another place for each connection.
    fn data(&self, draw: &mut Draw) -> &[u8] {
        let len = match draw.below(6) {
            0 => 0,
            1 => 1 + draw.below(4),
            2 | 3 => draw.below(5000),
            4 => draw.below(LEN_MAX / 4),
            _ => draw.below(LEN_MAX + 1),
        };
        let start = draw.below(POOL_LEN - len);
        &self.pool[start..start + len]
    }
}

/// SplitMix64.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }
}
