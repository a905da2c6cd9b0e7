use crate::packet::complete_transport_checksum;
use estab_stack::{Checksum, Layers, Medium, PacketIn};
use estab_tcp::Rng;

/// Flips one bit, somewhere from the IP header to the packet's end, so that a checksum notices. `None` for what is not
/// IP: the frame check sequence of a real link would have it dropped.
pub(super) fn corrupt(medium: Medium, packet: &PacketIn, rng: &mut Rng) -> Option<PacketIn> {
    let layers = Layers::find(medium, &packet.data)?;
    let mut data = packet.data.to_vec();
    if packet.checksum == Checksum::Valid {
        complete_transport_checksum(medium, &mut data);
    }
    let end = layers.end.min(data.len());
    let bits = u32::try_from((end - layers.network) * 8).unwrap_or(u32::MAX);
    let bit = rng.below(bits) as usize;
    *data.get_mut(layers.network + bit / 8)? ^= 1 << (bit % 8);
    Some(PacketIn {
        data: data.into(),
        checksum: Checksum::Unverified,
        ..*packet
    })
}
