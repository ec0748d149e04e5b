/** How this process reaches others over HTTP, from the standard variables. The URLs may hold a password. */
export interface ProxyConfig {
  /** For requests to `http://`. */
  readonly http: string | null;
  /** For requests to `https://`, which go through it as a tunnel. */
  readonly https: string | null;
  /** As it was written: hosts, domains, networks. */
  readonly noProxy: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** As curl and Go read them: the lower case wins, and a proxy without a scheme is `http://`. */
export function proxiesOf(environment: Environment, problems: string[]): ProxyConfig {
  const given = (name: string): string | null =>
    environment[name.toLowerCase()]?.trim() || environment[name]?.trim() || null;
  const proxy = (name: string): string | null => {
    const text = given(name);
    if (text === null) return null;
    const url = text.includes('://') ? text : `http://${text}`;
    // Without the value, which may hold a password.
    if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) && !/[\r\n]/.test(url)) return url;
    problems.push(`${name} must be the URL of a proxy such as http://proxy.example.com:3128`);
    return null;
  };
  return { http: proxy('HTTP_PROXY'), https: proxy('HTTPS_PROXY'), noProxy: given('NO_PROXY') ?? '' };
}
