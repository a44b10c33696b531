import { participantSid, roomSid } from "../../../src/domain/ids";
import type { LiveKitEvent } from "../../../src/domain/livekit-event";
import { storableText } from "./storable-text";

/** An event whose names are as they are stored: so that a call and a participant are found again, whatever they are called. */
export function storableEvent(event: LiveKitEvent): LiveKitEvent {
  const { name, roomName, roomSid: sid, subject } = event;
  return {
    ...event,
    name: storableText(name),
    roomName: roomName === undefined ? undefined : storableText(roomName),
    roomSid: sid === undefined ? undefined : roomSid(storableText(sid)),
    subject: subject.kind === "participant" ? { ...subject, sid: participantSid(storableText(subject.sid)) } : subject,
  };
}
