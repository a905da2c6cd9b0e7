//! A host under attack, by seeds. `ESTAB_SEED=17 cargo test -p estab-stack --test attack` replays one.

#[path = "support/attack.rs"]
mod attack;
#[path = "../../estab-tcp/tests/support/choices.rs"]
mod choices;

const COMMAND: &str = "cargo test -p estab-stack --test attack";

#[test]
fn nothing_that_comes_in_breaks_a_host() {
    choices::with_seeds(COMMAND, 300, 400, attack::check);
}
