require "active_record"
require "awesome_nested_set"
require "webrick"

ActiveRecord::Base.establish_connection(ENV.fetch("DATABASE_URL"))
ActiveRecord::Base.extend(CollectiveIdea::Acts::NestedSet)

class Category < ActiveRecord::Base
  acts_as_nested_set
end

server = WEBrick::HTTPServer.new(BindAddress: "127.0.0.1", Port: ENV.fetch("PORT"), AccessLog: [])
server.mount_proc("/categories") do |request|
  ActiveRecord::Base.connection_pool.with_connection { Category.create!(name: request.body) }
end
server.start
