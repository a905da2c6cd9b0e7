mod common;
use common::*;
use estab::*;
use std::io::*;
use std::time::*;
#[test]
fn zz() {
    let (s, c) = hosts();
    let l = TcpListener::bind(&s, at(7)).unwrap();
    let mut x = TcpStream::connect(&c, at(7)).unwrap();
    let (a, _) = l.accept().unwrap();
    x.set_option(estab::SocketOption::SendBuffer(64 << 10)).unwrap();
    x.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
    let chunk = vec![0; 64 << 10];
    let t=Instant::now();
    let mut total=0;
    loop { let r = x.write(&chunk); total+=r.as_ref().copied().unwrap_or(0); let i=x.info().unwrap(); let j=a.info().unwrap();
     eprintln!("{:?} {r:?} {total} unacked {} notsent {} wnd {} probes {} readable {} rcv_wnd {} oo {}", t.elapsed(), i.unacked, i.notsent, i.snd_wnd, i.probes, j.readable, j.rcv_wnd, j.out_of_order); if r.is_err() {break} }
}
