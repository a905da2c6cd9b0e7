//! Two connections under attack, by seeds. `ESTAB_SEED=17 cargo test -p estab-tcp --test attack` replays one.

#[path = "support/attack.rs"]
mod attack;
#[path = "support/choices.rs"]
mod choices;

const COMMAND: &str = "cargo test -p estab-tcp --test attack";

#[test]
fn nothing_that_comes_in_breaks_a_connection() {
    choices::with_seeds(COMMAND, 500, 400, attack::check);
}
