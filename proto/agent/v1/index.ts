/** The messages between agent and hub, generated from agent.proto beside this file. */
export * from '../../gen/agent/v1/agent_pb.js';
