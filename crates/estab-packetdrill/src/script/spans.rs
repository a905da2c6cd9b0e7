//! Scripts without their places, so that those that were written differently can be compared.

use super::{
    Action, Call, Code, Command, Event, Expression, Field, OptionLine, Packet, Script, Span, Value,
};

impl Script {
    /// The same script, all of whose spans are empty. Two scripts that mean the same are then equal.
    #[must_use]
    pub fn without_spans(mut self) -> Self {
        for OptionLine { span, .. } in &mut self.options {
            *span = Span::default();
        }
        for Command { span, .. } in self.init.iter_mut().chain(&mut self.cleanup) {
            *span = Span::default();
        }
        self.events.iter_mut().for_each(clear_event);
        self
    }
}

fn clear_event(event: &mut Event) {
    event.span = Span::default();
    match &mut event.action {
        Action::Call(call) => clear_call(call),
        Action::Packet(Packet { span, .. })
        | Action::Command(Command { span, .. })
        | Action::Code(Code { span, .. }) => {
            *span = Span::default();
        }
    }
}

fn clear_call(call: &mut Call) {
    call.span = Span::default();
    call.name_span = Span::default();
    call.arguments.iter_mut().for_each(clear_expression);
    clear_expression(&mut call.result);
    if let Some((_, span)) = &mut call.errno {
        *span = Span::default();
    }
}

fn clear_expression(expression: &mut Expression) {
    expression.span = Span::default();
    match &mut expression.value {
        Value::Or(list)
        | Value::List(list)
        | Value::Function {
            arguments: list, ..
        } => {
            list.iter_mut().for_each(clear_expression);
        }
        Value::Struct(fields) => {
            for Field {
                len, value, span, ..
            } in fields
            {
                *span = Span::default();
                len.iter_mut().for_each(clear_expression);
                clear_expression(value);
            }
        }
        Value::Ellipsis | Value::Integer { .. } | Value::Symbol(_) | Value::Text(_) => {}
    }
}
