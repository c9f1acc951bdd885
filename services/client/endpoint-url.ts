/**
 * The address of something that nodes serve: `socket.io/` at `https://calls.example/fenghuo?region=beijing` is
 * `https://calls.example/fenghuo/socket.io/?region=beijing`. An endpoint's path is a folder, with or without a slash at its
 * end; its query is for the load balancer in front.
 */
export function addressAt(endpoint: string, path: string): URL {
  const url = new URL(endpoint);
  url.pathname = `${url.pathname.replace(/\/*$/, '')}/${path}`;
  url.hash = '';
  return url;
}

/** Whether the text is an absolute URL. */
export function isUrl(text: string): boolean {
  try {
    new URL(text);
    return true;
  } catch {
    return false;
  }
}
