declare module '*?worker&inline' {
  const Inline: new () => Worker;
  export default Inline;
}

declare module '*?inline' {
  const text: string;
  export default text;
}
