//! Whatever a script says, its run has an end, and a second one is the same.

use estab_packetdrill::check;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_script_has_an_end(bytes in prop::collection::vec(any::<u8>(), 0..1024)) {
        check::any_run(&bytes);
    }
}
