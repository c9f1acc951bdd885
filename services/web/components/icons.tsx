/** Line drawings of 24 × 24, in the colour of the text around them. */
const PATHS = {
  microphone: 'M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3zM6 11a6 6 0 0 0 12 0M12 17v4M9 21h6',
  microphoneOff:
    'M9 9v2a3 3 0 0 0 4.500 2.600M15 11V6a3 3 0 0 0-5.700-1.300M6 11a6 6 0 0 0 9.500 4.900M18 11a6 6 0 0 1-.4 2.200M12 17v4M9 21h6M4 4l16 16',
  camera:
    'M4 7h10a1.500 1.500 0 0 1 1.500 1.500v7A1.500 1.500 0 0 1 14 17H4a1.500 1.500 0 0 1-1.500-1.500v-7A1.500 1.500 0 0 1 4 7zM15.500 11l6-3.500v9l-6-3.500',
  cameraOff:
    'M9 7h5a1.500 1.500 0 0 1 1.500 1.500V11l6-3.500v9M15.500 15.500A1.500 1.500 0 0 1 14 17H4a1.500 1.500 0 0 1-1.500-1.500v-7A1.500 1.500 0 0 1 4 7M4 4l16 16',
  second: 'M3 5h13v9H3zM8 18h13V9M11 9l3 3-3 3',
  chat: 'M4 5h16v11H10l-4.500 4v-4H4z',
  signals:
    'M12 21v-9M8 21h8M9.500 9.500L12 5l2.500 4.500L12 12zM5.500 12.500a7 7 0 0 1 0-8M18.500 12.500a7 7 0 0 0 0-8',
  signalsOff:
    'M12 21v-9M8 21h8M10.700 10.700L12 12l2.500-2.500L12 5l-1 1.900M5.500 12.500a7 7 0 0 1-.9-5M18.500 12.500a7 7 0 0 0 0-8M4 4l16 16',
  again: 'M19 12a7 7 0 1 1-2.100-5M17 3v4.200h-4.200',
  link: 'M10 14a4 4 0 0 0 6 .4l3-3a4.200 4.200 0 0 0-6-6l-1.500 1.500M14 10a4 4 0 0 0-6-.4l-3 3a4.200 4.200 0 0 0 6 6l1.500-1.500',
  leave: 'M3 14.500c5-5 13-5 18 0l-2.600 2.700-3.400-1.600v-2.300c-2-.6-4-.6-6 0v2.300l-3.400 1.600z',
  close: 'M6 6l12 12M18 6L6 18',
  send: 'M4 12l16-7-6 16-3-7z',
  sound: 'M4 9.500h3.500L12 6v12l-4.500-3.500H4zM15.500 9a4.200 4.200 0 0 1 0 6M18 6.500a8 8 0 0 1 0 11',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
