use super::{REMEMBERED, Space, Timestamps};

#[test]
fn numbers_go_both_ways_and_around() {
    let space = Space {
        script: 5,
        live: u32::MAX,
    };
    assert_eq!(space.live(5), u32::MAX);
    assert_eq!(space.live(6), 0);
    assert_eq!(space.live(4), u32::MAX - 1);
    for number in [0, 5, 6, u32::MAX] {
        assert_eq!(space.script(space.live(number)), number);
    }
}

#[test]
fn timestamps_are_names() {
    let mut timestamps = Timestamps::default();
    assert_eq!(timestamps.live(7), 7, "nothing is known");
    timestamps.learn(100, 5000);
    timestamps.learn(200, 5900);
    assert_eq!([timestamps.live(100), timestamps.live(200)], [5000, 5900]);
    assert_eq!(
        [timestamps.script(5000), timestamps.script(5900)],
        [100, 200]
    );
    // What was not seen lies as far from the newest.
    assert_eq!([timestamps.live(190), timestamps.script(5910)], [5890, 210]);
    // A name that is used again stands for the newest.
    timestamps.learn(100, 7000);
    assert_eq!(timestamps.live(100), 7000);
    assert_eq!(timestamps.first(), Some((200, 5900)));
}

#[test]
fn old_timestamps_are_forgotten() {
    let mut timestamps = Timestamps::default();
    for n in 0..=u32::try_from(REMEMBERED).unwrap() {
        timestamps.learn(n, n + 1);
    }
    assert_eq!(timestamps.first(), Some((1, 2)));
}
