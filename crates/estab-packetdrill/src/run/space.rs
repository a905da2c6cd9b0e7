//! Sequence spaces: what the script counts from, and what is on the wire.

/// One direction of a connection: where its script and its live numbers begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Space {
    /// The initial sequence number as the script writes it.
    pub(crate) script: u32,
    /// The initial sequence number on the wire.
    pub(crate) live: u32,
}

impl Space {
    pub(crate) const fn live(self, script: u32) -> u32 {
        script.wrapping_sub(self.script).wrapping_add(self.live)
    }

    pub(crate) const fn script(self, live: u32) -> u32 {
        live.wrapping_sub(self.live).wrapping_add(self.script)
    }
}

/// Live timestamps of the subject, by the values that stand for them in the script.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timestamps {
    known: Vec<(u32, u32)>,
}

/// More different values than this are not remembered: the oldest are forgotten.
const REMEMBERED: usize = 4096;

impl Timestamps {
    /// A segment with this live value met an expected one with this script value.
    pub(crate) fn learn(&mut self, script: u32, live: u32) {
        self.known.retain(|(known, _)| *known != script);
        if self.known.len() == REMEMBERED {
            self.known.remove(0);
        }
        self.known.push((script, live));
    }

    /// The live value to echo. Of a value that was never seen: as far from the last known one as the script's is.
    pub(crate) fn live(&self, script: u32) -> u32 {
        let exact = self.known.iter().rfind(|(known, _)| *known == script);
        match exact.or_else(|| self.known.last()) {
            Some((known, live)) => script.wrapping_sub(*known).wrapping_add(*live),
            None => script,
        }
    }

    /// The script's value of a live one, for messages; guessed in the same way.
    pub(crate) fn script(&self, live: u32) -> u32 {
        let exact = self.known.iter().rfind(|(_, known)| *known == live);
        match exact.or_else(|| self.known.last()) {
            Some((script, known)) => live.wrapping_sub(*known).wrapping_add(*script),
            None => live,
        }
    }

    /// The first pair that is remembered.
    pub(crate) fn first(&self) -> Option<(u32, u32)> {
        self.known.first().copied()
    }
}

#[cfg(test)]
mod tests;
