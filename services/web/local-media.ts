import { drawBeacon, playTone } from './fallback-media.ts';

/** One's own picture and sound, from the camera and the microphone or, for each that is missing, made up. */
export interface LocalMedia {
  readonly stream: MediaStream;
  readonly isCameraReal: boolean;
  readonly isMicrophoneReal: boolean;
  /** Why something is made up though it was asked for. */
  readonly lack?: 'insecure' | 'refused';
  /** A tone made by a page starts to sound with the first touch or key; calling this there makes it. */
  wake(): void;
  stop(): void;
}

export async function openLocalMedia(wish: 'camera' | 'fake', name: string): Promise<LocalMedia> {
  const devices = wish === 'camera' ? await openDevices() : [];
  const camera = devices.find(({ kind }) => kind === 'video');
  const microphone = devices.find(({ kind }) => kind === 'audio');
  const picture = camera ?? drawBeacon(name);
  const sound = microphone ?? playTone(name);
  const stream = new MediaStream();
  for (const one of [picture, sound]) stream.addTrack('track' in one ? one.track : one);
  const isWhole = wish === 'fake' || (camera !== undefined && microphone !== undefined);
  return {
    stream,
    isCameraReal: camera !== undefined,
    isMicrophoneReal: microphone !== undefined,
    ...(isWhole ? {} : { lack: globalThis.isSecureContext ? 'refused' : 'insecure' }),
    wake() {
      if ('context' in sound && sound.context.state === 'suspended') void sound.context.resume();
    },
    stop() {
      picture.stop();
      sound.stop();
    },
  };
}

/** Camera and microphone; where not both can be had, the one that can. */
async function openDevices(): Promise<MediaStreamTrack[]> {
  const video = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 24 } };
  const audio = { echoCancellation: true, noiseSuppression: true };
  for (const constraints of [{ audio, video }, { audio }, { video }]) {
    try {
      // Absent on pages that are not from a secure origin.
      const stream = await navigator.mediaDevices?.getUserMedia(constraints);
      return stream?.getTracks() ?? [];
    } catch (fault) {
      // Missing or busy: less may be had. Refused: don't ask again.
      if (fault instanceof DOMException && fault.name === 'NotAllowedError') return [];
    }
  }
  return [];
}
