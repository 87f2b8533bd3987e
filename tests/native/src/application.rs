//! What the core reports because of a frame becomes events.

use everwire_client_core::{Application, Confirmation, Connection, Handle, Position, Stretch};
use everwire_protocol::{
    Ack, Activity, ChatChanged, ChatGone, Code, ErrorCode, MemberJoined, MemberLeft, Message, Receipt,
    ServerFrame, Signalled, StatusChanged, Subscribed, UserTyping, Uuid,
};
use serde_json::json;

use crate::{
    adapter::Client,
    events::{emit, json_of, tell_error, tell_frame},
};

impl Application for Client {
    fn reading(&mut self) -> (&mut Connection, &mut Stretch) {
        (&mut self.core, &mut self.stretch)
    }

    fn arrived(&mut self, frame: ServerFrame) -> Option<ServerFrame> {
        if let ServerFrame::Welcome(welcome) = &frame {
            self.connection = Some(welcome.connection);
            self.limits = Some(welcome.limits.clone());
        }
        Some(frame)
    }

    fn finished(&mut self) {
        self.connection();
        self.carry_out();
    }

    fn message(&mut self, handle: Handle, message: Message) {
        self.moved(handle, message.offset);
        let mut message = json_of(message);
        if let Some(message) = message.as_object_mut() {
            message.shift_remove("type");
        }
        emit("message", json!({"message": message}));
    }

    fn unreadable(&mut self, handle: Handle, offset: u64, reason: String) {
        self.moved(handle, offset);
        emit("invalid", json!({"code": ErrorCode::ProtocolViolation.as_str(), "message": reason}));
    }

    fn subscribed(&mut self, handle: Handle, frame: Subscribed, confirmation: Confirmation) {
        let Confirmation { offset, gap } = confirmation;
        let run = self.core.run().to_owned();
        let (channel, epoch, head) = (frame.channel.clone(), frame.epoch.clone(), frame.head);
        if let Some(gap) = gap {
            emit("gap", json!({"channel": channel, "from": gap.from, "to": gap.to, "reason": gap.reason}));
        }
        let frame = json_of(frame);
        emit(
            "subscribed",
            json!({"channel": channel, "epoch": epoch, "offset": offset, "run": run, "head": head, "frame": frame}),
        );
        if let Some(subscription) = self.subscriptions.get_mut(&handle) {
            subscription.position = Some(Position { epoch, offset, run });
        }
    }

    fn ended(&mut self, handle: Handle, code: Code, message: String) {
        let channel = self.channel_of(handle);
        emit("unsubscribed", json!({"channel": channel, "code": code.as_str(), "message": message}));
        self.subscriptions.remove(&handle);
    }

    fn stored(&mut self, ack: Ack) {
        let Ack { id, channel, offset, at } = ack;
        let reference = self.forget(id);
        emit("acked", json!({"id": id, "ref": reference, "channel": channel, "offset": offset, "at": at}));
    }

    fn failed(&mut self, id: Uuid, code: Code, message: String, _: Option<u32>) {
        self.fails(id, code.as_str(), &message);
    }

    fn error(&mut self, code: Code, message: String, retry_after_ms: Option<u32>) {
        tell_error(code.as_str(), &message, retry_after_ms);
    }

    fn answered(&mut self, answer: ServerFrame) {
        let frame = json_of(answer);
        let id: Option<Uuid> = serde_json::from_value(frame["id"].clone()).ok();
        let reference = id.map(|id| self.forget(id));
        emit("answered", json!({"id": id, "ref": reference, "frame": frame}));
    }

    fn user_typing(&mut self, _: Handle, frame: UserTyping) {
        tell_frame(frame);
    }

    fn receipt(&mut self, _: Handle, frame: Receipt) {
        tell_frame(frame);
    }

    fn member_joined(&mut self, _: Handle, frame: MemberJoined) {
        tell_frame(frame);
    }

    fn member_left(&mut self, _: Handle, frame: MemberLeft) {
        tell_frame(frame);
    }

    fn signalled(&mut self, _: Option<Handle>, frame: Signalled) {
        tell_frame(frame);
    }

    fn status_changed(&mut self, _: Handle, frame: StatusChanged) {
        tell_frame(frame);
    }

    fn activity(&mut self, frame: Activity) {
        tell_frame(frame);
    }

    fn chat_changed(&mut self, _: Handle, frame: ChatChanged) {
        tell_frame(frame);
    }

    fn chat_gone(&mut self, _: Handle, frame: ChatGone) {
        tell_frame(frame);
    }
}
