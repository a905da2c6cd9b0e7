//! Two stacks without driver, thread or clock: the program itself carries the packets and tells the time. This is how a
//! stack is embedded in a program with a loop of its own, and how the simulator works.
//!
//! ```text
//! cargo run --example embedded -p estab
//! ```

use estab_stack::{
    Cidr, Error, InterfaceConfig, InterfaceId, Medium, MessageFlags, PacketIn, Stack, StackConfig,
};
use estab_tcp::{Instant, Settings, Shutdown};
use std::net::SocketAddr;
use std::time::Duration;

/// How long a packet takes from one to the other.
const DELAY: Duration = Duration::from_millis(10);

fn stack(last: u8) -> Result<(Stack, InterfaceId), Error> {
    let mut stack = Stack::new(StackConfig {
        seed: [last; 32],
        settings: Settings::default(),
    });
    let interface = stack.add_interface(InterfaceConfig {
        name: "link".into(),
        medium: Medium::Ip,
        hardware_address: [0; 6],
        mtu: 1500,
        checksum_offload: false,
        segmentation_offload: 0,
    });
    let address = Cidr {
        address: [10, 0, 0, last].into(),
        prefix_len: 24,
    };
    stack.add_address(interface, address)?;
    Ok((stack, interface))
}

/// Carries what each wants to send to the other, until neither does. Each way takes `DELAY`.
fn exchange(now: &mut Instant, a: &mut (Stack, InterfaceId), b: &mut (Stack, InterfaceId)) {
    loop {
        let mut packets = Vec::new();
        while let Some((_, packet)) = a.0.poll_transmit(*now) {
            packets.push((true, packet.to_bytes()));
        }
        while let Some((_, packet)) = b.0.poll_transmit(*now) {
            packets.push((false, packet.to_bytes()));
        }
        if packets.is_empty() {
            return;
        }
        *now += DELAY;
        for (to_b, packet) in packets {
            let (stack, interface) = if to_b { &mut *b } else { &mut *a };
            stack.handle_packet(*now, *interface, PacketIn::from(packet));
        }
    }
}

fn main() -> Result<(), Error> {
    let (mut server, mut client) = (stack(1)?, stack(2)?);
    let mut now = Instant::ZERO;
    let address = SocketAddr::from(([10, 0, 0, 1], 80));

    let listener = server.0.tcp_socket(false)?;
    server.0.bind(listener, address)?;
    server.0.listen(now, listener, 8)?;
    let socket = client.0.tcp_socket(false)?;
    match client.0.connect(now, socket, address, None) {
        Ok(()) | Err(Error::InProgress) => {}
        Err(error) => return Err(error),
    }
    exchange(&mut now, &mut client, &mut server);
    println!("{now:?} s: the client is {}", client.0.state(socket)?);

    let flags = MessageFlags::default();
    client.0.send(now, socket, b"no driver needed", flags)?;
    client.0.shutdown(now, socket, Shutdown::Write)?;
    exchange(&mut now, &mut client, &mut server);
    let (accepted, peer) = server.0.accept(now, listener)?;
    let mut buffer = [0; 64];
    let count = server.0.receive(now, accepted, &mut buffer, flags)?;
    let text = String::from_utf8_lossy(&buffer[..count]);
    println!("{now:?} s: {peer} said: {text}");

    server.0.close(now, accepted, false)?;
    exchange(&mut now, &mut client, &mut server);
    println!("{now:?} s: the client is {}", client.0.state(socket)?);
    // Whatever is left to do has its time: 2 MSL of the client's, who closed first.
    println!(
        "next deadline of the client: {:?} s",
        client.0.poll_timeout()
    );
    Ok(())
}
