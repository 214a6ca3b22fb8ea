// A worker, of a browser or of Node, and how it is spoken with: requests have a number, what comes back names it.
export const inNode = typeof (globalThis as any).process?.versions?.node === 'string';

/** A file that lies beside the engine: fetched, or, in Node, read. */
export async function readText(at: URL): Promise<string> {
  if (at.protocol === 'file:') return (await import('node:fs/promises' as string)).readFile(at, 'utf8');
  const answer = await fetch(at);
  if (!answer.ok) throw new Error(`${at.pathname}: the server answers ${answer.status}`);
  return answer.text();
}

/** A worker of the browser, or one of Node's, which speak differently. */
export interface AnyWorker<Reply> {
  postMessage(message: unknown): void;
  terminate(): void;
  listen(onReply: (reply: Reply) => void, onDeath: (why: string) => void): void;
}

/** A worker that runs the script beside this one. */
export async function startWorker<Reply>(script: string): Promise<AnyWorker<Reply>> {
  const url = new URL(`./${script}`, import.meta.url);
  if (!inNode) {
    const worker = new Worker(url, { type: 'module' });
    return {
      postMessage: (message) => worker.postMessage(message),
      terminate: () => worker.terminate(),
      listen: (onReply, onDeath) => {
        worker.onmessage = (event) => onReply(event.data as Reply);
        worker.onerror = (event) => {
          event.preventDefault();
          onDeath(event.message || 'its script could not be loaded');
        };
      },
    };
  }
  const threads = 'node:worker_threads'; // a name that no bundler for browsers looks at
  const { Worker: NodeWorker } = await import(/* @vite-ignore */ threads);
  const worker = new NodeWorker(url);
  return {
    postMessage: (message) => worker.postMessage(message),
    terminate: () => {
      void worker.terminate();
    },
    listen: (onReply, onDeath) => {
      worker.on('message', onReply);
      worker.on('error', (error: Error) => onDeath(error.message));
    },
  };
}

interface Port {
  postMessage(message: unknown, moved: ArrayBuffer[]): void;
  on(event: 'message', hear: (message: any) => void): void;
}
let nodePort: Port | undefined;
const nodePortComes = inNode
  ? import('node:worker_threads' as string).then((threads) => (nodePort = threads.parentPort as Port))
  : undefined;

/** Inside a worker: to whoever started it. At once, also from the middle of a computation. */
export function post(message: unknown, moved: ArrayBuffer[] = []): void {
  if (!inNode) self.postMessage(message, { transfer: moved });
  else if (nodePort) nodePort.postMessage(message, moved);
  else void nodePortComes!.then((port) => port.postMessage(message, moved));
}

/** Inside a worker: each message is heard when the one before has been dealt with. To be called at once, before
 *  anything is waited for: what came before would be lost. */
export function hearEach<Message>(deal: (message: Message) => Promise<void>): void {
  let last = Promise.resolve();
  const hear = (message: Message) => {
    last = last.then(() => deal(message));
  };
  if (nodePortComes) void nodePortComes.then((port) => port.on('message', hear));
  else self.onmessage = (event: MessageEvent) => hear(event.data);
}
