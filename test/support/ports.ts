export { freePort } from '@fenghuo/cluster';
